import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { findRunner, giveTo, type Runner } from './account.ts'
import { Complaint, sentenceOf } from './complaint.ts'
import type { Directory } from './directory.ts'
import { lastWord } from './last-word.ts'
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts'
import { type Child, type Log, supervise } from './processes.ts'
import { run } from './run.ts'
import { keepSecret } from './secrets.ts'

const USER = 'coding_plans'

const environment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' })

const settings = (port: number): Record<string, string | number> => ({
  listen_addresses: '127.0.0.1',
  port,
  // No socket file: two stacks on one machine would fight for it.
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  // Fewer checkpoints: after each of them every page that changes is written whole.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // Outbox and due terms turn over within seconds: what is dead in their indexes is read again and again.
  autovacuum_naptime: '5s',
  log_min_messages: 'warning',
})

/** Ask one thing of one database. */
const query = async (url: string, sql: string) => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 })
  // A server that goes away between two questions must not take the launcher with it.
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

/** Throws while the database at this address does not answer. */
export const askPostgres = async (url: string) => {
  await query(url, 'select 1')
}

/** The same server, another database. */
export const withDatabase = (serverUrl: string, name: string) => {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.toString()
}

const DUPLICATE_DATABASE = '42P04'

/** Make a database on this server if it is not there. */
export const createDatabase = async (serverUrl: string, name: string): Promise<void> => {
  const { rowCount } = await query(serverUrl, `select 1 from pg_database where datname = ${pg.escapeLiteral(name)}`)
  if (rowCount) return
  await query(serverUrl, `create database ${pg.escapeIdentifier(name)}`).catch((error: { code?: string }) => {
    if (error.code !== DUPLICATE_DATABASE) throw error
  })
}

/** Write a new cluster beside its place and move it there, so that a crash leaves none rather than half of one. */
const initialise = async (place: string, runner: Runner, { initdb }: PostgresBinaries, password: string) => {
  const fresh = `${place}.new`
  const passwordFile = `${place}.password`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { mode: 0o700 })
  giveTo(runner, fresh)
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (runner.owner) chownSync(passwordFile, runner.owner.uid, runner.owner.gid)
  const [command, options] = runner.wrap(initdb, [
    `--pgdata=${fresh}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // PostgreSQL's own rules of order, the same on every machine.
    '--no-locale',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ])
  try {
    await run(command, options, { env: environment(), cwd: '/', ...runner.account })
    renameSync(fresh, place)
  } catch (error) {
    throw new Complaint(`PostgreSQL could not prepare its storage: ${lastWord(sentenceOf(error))}`)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** Prepare PostgreSQL in this data directory; `start` starts it. `url` is the address of its database `postgres`. */
export const preparePostgres = async (directory: Directory, log: Log): Promise<{ child: Child; url: string }> => {
  const binaries = await postgresBinaries()
  const place = join(directory.path, 'postgres')
  const runner = await findRunner(binaries.postgres, directory.path)
  const password = keepSecret(directory.path, 'POSTGRES_PASSWORD')
  const port = await directory.port('postgres')
  const url = new URL(`postgres://127.0.0.1:${port}/postgres`)
  url.username = USER
  url.password = password
  if (existsSync(place)) giveTo(runner, place)
  else await initialise(place, runner, binaries, password)
  const options = Object.entries(settings(port)).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [command, list] = runner.wrap(binaries.postgres, ['-D', place, ...options])
  const child = supervise(
    directory.path,
    {
      name: 'postgres',
      command,
      arguments: list,
      environment: environment(),
      cwd: '/',
      account: runner.account,
      // The "fast" shutdown: does not wait for clients to leave.
      stopSignal: 'SIGINT',
      attempts: 4,
      ready: () => askPostgres(url.toString()),
    },
    log,
  )
  return { child, url: url.toString() }
}
