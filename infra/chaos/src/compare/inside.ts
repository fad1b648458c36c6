import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { topics } from '@coding-plans/local'
import { endOffsets, pause } from '@coding-plans/runtime'
import { AUDITOR, type Service, services } from '@coding-plans/schemas'
import pg from 'pg'
import type { Notebook } from '../memory.ts'
import type { Site } from '../site.ts'

/** What no HTTP answer tells: what lies in databases and dead-letter topics when all is done. */

const VERIFIER = join(import.meta.dirname, '..', '..', '..', 'auditor', 'src', 'verify', 'main.ts')

export const databaseOf = ({ servers }: Site, service: Service) =>
  servers.databaseUrl(`coding_plans_${service.replaceAll('-', '_')}`)

export const askDatabase = async (url: string, sql: string): Promise<Record<string, string>[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const nothingLeft: readonly { service: Service; what: string; sql: string }[] = [
  {
    service: 'gateway',
    what: 'no operation is pending',
    sql: 'select id, kind, subject from operations where outcome is null',
  },
  {
    service: 'gateway',
    what: 'no operation failed',
    sql: `select id, kind, subject from operations where outcome = 'failed'`,
  },
  {
    service: 'credits-ledger',
    what: 'no hold is open',
    sql: `select hold_id, user_id, purpose from holds where state = 'open'`,
  },
  {
    service: 'subscription',
    what: 'no saga runs but those that wait for money',
    sql: `select id, kind, state, user_id from sagas where running and state not in ('pastDue', 'toppingUp')`,
  },
]

/** What each user's ledger was topped up by. It keeps its user's number when that one is deleted (GDP-1). */
export const readTopUps = async (site: Site): Promise<ReadonlyMap<string, number>> => {
  const sql = `select user_id, sum(amount) as amount from transfers where kind = 'top_up' group by user_id`
  const rows = await askDatabase(databaseOf(site, 'credits-ledger'), sql)
  return new Map(rows.map(({ user_id, amount }) => [user_id as string, Number(amount)]))
}

/** How many terms were renewed, also of who was deleted. */
export const countRenewals = async (site: Site): Promise<number> => {
  const sql = `select count(*) as renewals from terms where kind = 'renewal'`
  const [row] = await askDatabase(databaseOf(site, 'subscription'), sql)
  return Number(row?.renewals)
}

const lookIntoDatabases = async (site: Site, notebook: Notebook) => {
  for (const { service, what, sql } of nothingLeft)
    for (const row of await askDatabase(databaseOf(site, service), sql)) notebook.violation(what, JSON.stringify(row))
  // The auditor goes on saying what it finds.
  for (const service of services.filter((name) => name !== AUDITOR)) {
    const rows = await unpublishedOf(site, service)
    if (rows > 0) notebook.violation('everything is published', `${rows} rows of ${service} are not`)
  }
}

/** What was asked for this comparison is audited, and that is on its way for a moment. */
const PUBLISHED_WITHIN_MILLISECONDS = 10_000

const unpublishedOf = async (site: Site, service: Service): Promise<number> => {
  for (const until = Date.now() + PUBLISHED_WITHIN_MILLISECONDS; ; await pause(100)) {
    const [row] = await askDatabase(databaseOf(site, service), 'select count(*)::int as rows from outbox')
    const rows = Number(row?.rows)
    if (rows === 0 || Date.now() > until) return rows
  }
}

/** Chains, checksums and sums; and every balance as Kafka alone makes it. */
const verify = async ({ servers }: Site, notebook: Notebook) => {
  const env = {
    PATH: process.env.PATH,
    KAFKA_BROKERS: servers.brokers.join(','),
    SCHEMA_REGISTRY_URL: servers.registryUrl,
    DATABASE_URL: servers.databaseUrl('postgres'),
  }
  // Not waited for by standing still: the doors to the servers are in this process.
  const { error, stdout, stderr } = await new Promise<{ error: Error | null; stdout: string; stderr: string }>(
    (resolve) => {
      execFile(process.execPath, [VERIFIER], { env }, (error, stdout, stderr) => resolve({ error, stdout, stderr }))
    },
  )
  if (error) notebook.violation('what is kept verifies', `${stderr}${stdout}`.trim())
  return stdout.trim()
}

const lookForDeadLetters = async ({ servers }: Site, notebook: Notebook) => {
  const names = topics.map(({ name }) => name).filter((name) => name.endsWith('.dlq'))
  for (const [topic, lanes] of await endOffsets(servers, names)) {
    const letters = [...lanes.values()].reduce((sum, end) => sum + end, 0)
    if (letters > 0) notebook.violation('there are no dead letters', `${letters} in ${topic}`)
  }
  return names.length
}

/** @returns what was looked at, in sentences. */
export const compareInside = async (site: Site, notebook: Notebook): Promise<string[]> => {
  await lookIntoDatabases(site, notebook)
  const verdict = await verify(site, notebook)
  const deadLetterTopics = await lookForDeadLetters(site, notebook)
  return [`verified: ${verdict}`, `dead letters: ${deadLetterTopics} topics looked at`]
}
