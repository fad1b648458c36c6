import { Complaint, codeOf } from './complaint.ts'
import type { Java } from './java.ts'
import { run } from './run.ts'
import { oldest } from './versions.ts'

/** The major version in the words of `java -version`; null when there is none. Java 8 calls itself 1.8. */
export const javaVersionIn = (words: string): number | null => {
  const found = /version "(?:1\.)?(\d+)/.exec(words)
  return found ? Number(found[1]) : null
}

/** The version in the words of `mvn -version`; null when there is none. */
export const mavenVersionIn = (words: string): string | null => /Apache Maven (\d+\.\d+\.\d+)/.exec(words)?.[1] ?? null

export const isOlder = (version: string, than: string) => version.localeCompare(than, 'en', { numeric: true }) < 0

const javaCommand = (env: NodeJS.ProcessEnv) => (env.JAVA_HOME ? `${env.JAVA_HOME}/bin/java` : 'java')

/** The Java to run. @throws Complaint when it is missing or too old. */
export const findJava = async (env: NodeJS.ProcessEnv = process.env): Promise<Java> => {
  const command = javaCommand(env)
  const words = await run(command, ['-version']).catch((error: unknown) => {
    throw new Complaint(
      codeOf(error) === 'ENOENT'
        ? `Java ${oldest.java} or newer is needed, and ${command} was not found; install it, or set JAVA_HOME.`
        : `Java ${oldest.java} or newer is needed, and ${command} -version fails.`,
    )
  })
  const version = javaVersionIn(words)
  if (version === null || version < oldest.java)
    throw new Complaint(
      `Java ${oldest.java} or newer is needed, and ${command} is Java ${version ?? 'of an unknown version'}.`,
    )
  return { command, words }
}

/** @throws Complaint when Maven is missing or too old. It is needed for the first start only. */
export const checkMaven = async (): Promise<void> => {
  const words = await run('mvn', ['-version']).catch((error: unknown) => {
    throw new Complaint(
      codeOf(error) === 'ENOENT'
        ? `Maven ${oldest.maven} or newer is needed to download Kafka and the registry, and mvn was not found.`
        : `Maven ${oldest.maven} or newer is needed, and mvn -version fails.`,
    )
  })
  const version = mavenVersionIn(words)
  if (version === null || isOlder(version, oldest.maven))
    throw new Complaint(`Maven ${oldest.maven} or newer is needed, and mvn is ${version ?? 'of an unknown version'}.`)
}
