/** Only what a Java program needs of this process's environment: no secret of ours belongs in there. */
export const javaEnvironment = (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => ({
  PATH: env.PATH,
  HOME: env.HOME,
  LANG: 'C.UTF-8',
  TZ: 'UTC',
})

/** Small heaps and the plain collector: these two serve one machine. */
export const javaOptions = (mostMegabytes: number) => [
  `-Xmx${mostMegabytes}m`,
  '-XX:+UseSerialGC',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.awt.headless=true',
]
