import { type ChildProcess, spawn } from 'node:child_process'

/** Every process of this launcher that runs at this moment. */
export const alive = new Set<ChildProcess>()
// The last resort, when the launcher ends without having stopped its children.
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

export interface Run {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  readonly timeoutMilliseconds?: number
}

const MOST_OUTPUT = 100_000

/** Run a program to its end. @returns what it said on both channels. @throws what it said, or the system's error. */
export const run = (command: string, options: readonly string[], how: Run = {}) =>
  new Promise<string>((resolve, reject) => {
    const { timeoutMilliseconds = 60_000, ...rest } = how
    const child = spawn(command, options, { ...rest, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMilliseconds })
    alive.add(child)
    let words = ''
    const hear = (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-MOST_OUTPUT)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', (error) => {
      alive.delete(child)
      reject(error)
    })
    child.once('close', (code, signal) => {
      alive.delete(child)
      if (code === 0) resolve(words)
      else reject(new Error(words.trim() || `${command} ended with ${signal ?? `code ${code}`}`))
    })
  })
