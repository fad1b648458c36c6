import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createSchema } from './schema.ts'

export { type DueOptions, dueSubscriptions, type PlanOnSale, type StockOptions, stockBaseline } from './filling.ts'

export interface BaselineOptions {
  /** An empty database. */
  readonly databaseUrl: string
  readonly authSecret: string
  /** A free one if absent. */
  readonly port?: number
}

export interface Baseline {
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}

const HOST = '127.0.0.1'
const READY_MILLISECONDS = 15_000
const STOP_MILLISECONDS = 5_000
const PAUSE_MILLISECONDS = 25

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Makes the schema, starts the monolith and waits until it answers. @throws when it does not; nothing is left running. */
export const startBaseline = async ({ databaseUrl, authSecret, port }: BaselineOptions): Promise<Baseline> => {
  await createSchema(databaseUrl)
  const at = port ?? (await freePort())
  const url = `http://${HOST}:${at}`
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, AUTH_JWT_SECRET: authSecret, HOST, PORT: String(at) },
    // The channel closes with this process, however that ends, and the child with it.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const gone = () => child.exitCode !== null || child.signalCode !== null
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      said += error.message
      resolve()
    })
  })
  const stop = async () => {
    if (gone()) return
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS)
    await ended
    clearTimeout(force)
  }
  try {
    const deadline = Date.now() + READY_MILLISECONDS
    while (!(await answers(`${url}/healthz`))) {
      if (gone() || child.pid === undefined) throw new Error(`The baseline ended before it was ready: ${said}`)
      if (Date.now() > deadline) throw new Error(`The baseline was not ready in time: ${said}`)
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS))])
    }
    return { url, pid: child.pid as number, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const answers = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
