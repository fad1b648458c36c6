import { openPool } from './database.ts'
import { buildServer } from './server.ts'

// A plain monolith that keeps the promises of the five services: what their throughput is a ratio of.

const CONNECTIONS = 12
const RENEWALS_AT_ONCE = 12

const { DATABASE_URL, HOST = '127.0.0.1', PORT = '8080', AUTH_JWT_SECRET } = process.env
if (!DATABASE_URL || !AUTH_JWT_SECRET) throw new Error('The baseline needs DATABASE_URL and AUTH_JWT_SECRET.')

const pool = openPool(DATABASE_URL, CONNECTIONS)
const server = await buildServer({ pool, authSecret: AUTH_JWT_SECRET, renewalsAtOnce: RENEWALS_AT_ONCE })

let stopping = false
const stop = async () => {
  if (stopping) return
  stopping = true
  await server.close()
  await pool.end()
  process.disconnect?.()
}
process.on('SIGTERM', () => void stop())
process.on('SIGINT', () => void stop())
// Who measured it is gone.
process.on('disconnect', () => void stop())

await server.listen({ host: HOST, port: Number(PORT) })
