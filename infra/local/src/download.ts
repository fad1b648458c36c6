import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from './cache.ts'
import { Complaint, sentenceOf } from './complaint.ts'
import { checkSpace } from './directory.ts'
import { checkMaven } from './prerequisites.ts'
import { markOf } from './process-mark.ts'
import type { Log } from './processes.ts'
import { run } from './run.ts'
import { versions } from './versions.ts'

/** Where the jars are. */
export interface Jars {
  readonly kafka: string
  readonly registry: string
}

const pom = join(import.meta.dirname, '..', 'maven', 'pom.xml')
const STALLED_MILLISECONDS = 10 * 60_000

const jarsIn = (home: string): Jars => ({ kafka: join(home, 'kafka'), registry: join(home, 'registry') })

/** The jars if they are cached. They are put there in one step, so what is there is whole. */
export const findJars = (env?: NodeJS.ProcessEnv): Jars | null => {
  const home = join(cacheDirectory(env), `kafka-${versions.kafka}-registry-${versions.registry}`)
  return existsSync(home) ? jarsIn(home) : null
}

/**
 * The jars of Kafka and the registry, from the cache or else from Maven Central.
 * @throws Complaint when they cannot be fetched or kept.
 */
export const fetchJars = async (log: Log, env: NodeJS.ProcessEnv = process.env): Promise<Jars> => {
  const found = findJars(env)
  if (found) return found
  await checkMaven()
  const cache = cacheDirectory(env)
  const home = join(cache, `kafka-${versions.kafka}-registry-${versions.registry}`)
  const unfinished = `${home}.${process.pid}.part`
  try {
    mkdirSync(unfinished, { recursive: true })
    sweep(cache)
    checkSpace(unfinished)
    log(
      `downloading Kafka ${versions.kafka} and Apicurio Registry ${versions.registry} from Maven Central (about 190 MB, once)`,
    )
    await runMaven(unfinished, log)
    putInPlace(unfinished, home)
  } catch (error) {
    throw error instanceof Complaint
      ? error
      : new Complaint(`The cache ${cache} cannot be written: ${sentenceOf(error)}.`)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return jarsIn(home)
}

/** Remove what downloads left that were broken off. */
const sweep = (cache: string) => {
  for (const name of readdirSync(cache)) {
    const pid = /\.(\d+)\.part$/.exec(name)?.[1]
    if (pid && markOf(Number(pid)) === null) rmSync(join(cache, name), { recursive: true, force: true })
  }
}

const putInPlace = (unfinished: string, home: string) => {
  try {
    renameSync(unfinished, home)
  } catch (error) {
    // Another start on this machine was quicker; its jars are as good.
    if (!existsSync(home)) throw error
  }
}

const runMaven = async (destination: string, log: Log) => {
  const goals = ['dependency:copy-dependencies@kafka', 'dependency:unpack@registry']
  const settings = [`-Dkafka.version=${versions.kafka}`, `-Dregistry.version=${versions.registry}`]
  const progress = setInterval(() => log(`downloading … ${countFiles(destination)} files so far`), 5_000)
  try {
    await run('mvn', ['-B', '-q', '-f', pom, `-Ddestination=${destination}`, ...settings, ...goals], {
      timeoutMilliseconds: STALLED_MILLISECONDS,
    })
  } catch (error) {
    throw new Complaint(`The download from Maven Central failed: ${firstError(sentenceOf(error))}`)
  } finally {
    clearInterval(progress)
  }
}

const countFiles = (path: string) => readdirSync(path, { recursive: true }).length

const firstError = (words: string) =>
  /\[ERROR\] (?:Failed to execute goal [^:]+:[^:]+:[^:]+:\S+ \([^)]*\) on project \S+: )?(.+)/
    .exec(words)?.[1]
    ?.slice(0, 400) ?? 'Maven said nothing about why.'
