/** Only what a Java program needs of this process's environment: no secret of ours belongs in there. */
export const javaEnvironment = (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => ({
  PATH: env.PATH,
  HOME: env.HOME,
  LANG: 'C.UTF-8',
  TZ: 'UTC',
})

/** A Java that will do. */
export interface Java {
  readonly command: string
  /** What it says of itself. */
  readonly words: string
}

/**
 * Small heaps and the plain collector: these serve one machine. The quick compiler alone gives the shortest start, and over
 * the first 120,000 messages costs the broker half the CPU that both compilers cost (tried).
 */
export const javaOptions = (mostMegabytes: number) => [
  `-Xmx${mostMegabytes}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.awt.headless=true',
]
