import { type Logger, pino } from 'pino'

export type { Logger } from 'pino'

// The last fence only: no body and no header is ever given to the log.
const SECRET_PATHS = ['key', 'sealed', 'authorization', 'secret', 'password', 'token', 'value', 'body'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
)

/** JSON lines on stdout. */
export const openLog = (service: string, level: string): Logger =>
  pino({
    level,
    base: { service, pid: process.pid },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    serializers: { err: describeError },
  })

/** An error's kind, words and place; never its bindings or rows, which a database driver attaches. */
const describeError = (error: unknown) => {
  if (!(error instanceof Error)) return { message: 'not an error' }
  const code = (error as { code?: unknown }).code
  return {
    type: error.name,
    message: shorten(error.message),
    ...(code === undefined ? {} : { code }),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 6)
      .join('\n'),
  }
}

// A driver may quote a value; a sentence is enough to find the place.
const shorten = (message: string) => message.slice(0, 500)
