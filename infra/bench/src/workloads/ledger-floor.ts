import { integer, readEnvironment, text } from '@coding-plans/runtime'
import pg from 'pg'
import { digest, nameOf, PRICE_MICRODOLLARS } from './ledger-feed.ts'

// What the ledger is compared with, a process: a guarded debit and its entry in one transaction, and nothing else. No message,
// no answer, no idempotency, no hold that could be given back. Forked by ledger.ts: says `{ ready }`, is told to go, says
// `{ debits, seconds }`, and ends when the channel does.

const CONNECTIONS = 8
const WARM_MILLISECONDS = 1_000
const FUNDS = 9_000_000_000_000_000

const { DATABASE_URL, ACCOUNTS, SECONDS } = readEnvironment(process.env, {
  DATABASE_URL: text(),
  ACCOUNTS: integer({ min: 1 }),
  SECONDS: integer({ min: 1 }),
})

// An entry is as wide as one of the ledger's transfers.
const schema = `
  create table accounts (
    user_id text primary key,
    available bigint not null check (available >= 0),
    held bigint not null default 0,
    version bigint not null default 0
  );
  create table transfers (
    id text primary key, user_id text not null, sequence bigint not null, kind text not null, amount bigint not null,
    from_account text not null, to_account text not null, available_after bigint not null, held_after bigint not null,
    at bigint not null, hold_id text, operation_id text, subscription_id text, charge_id text, boundary bigint,
    description text, actor text, cause text not null, hash text not null
  )`

const debit = {
  name: 'debit',
  text: `update accounts set available = available - $1, held = held + $1, version = version + 1
    where user_id = $2 and available >= $1 returning available, held, version`,
}
const enter = {
  name: 'enter',
  text: `insert into transfers (id, user_id, sequence, kind, amount, from_account, to_account, available_after, held_after,
      at, hold_id, operation_id, subscription_id, cause, hash)
    values ($1, $2, $3, 'hold', $4, 'available', 'held', $5, $6, $7, $8, $8, $9, $10, $11)`,
}
const HASH = '0'.repeat(64)
const CAUSE = '00000000-0000-0000-0000-000000000000'

const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client({ connectionString: DATABASE_URL }))
let total = 0

const debitOnce = async (client: pg.Client, n: number) => {
  const [user, id] = [nameOf('floor', n % ACCOUNTS), digest('floor', n)]
  await client.query('begin')
  const { rows } = await client.query({ ...debit, values: [PRICE_MICRODOLLARS, user] })
  if (rows.length !== 1) throw new Error(`${user} has too little.`)
  const { available, held, version } = rows[0]
  const ids = [`op_${id}`, `sub_${id}`, CAUSE, HASH]
  const values = [`ent_${id}`, user, version, PRICE_MICRODOLLARS, available, held, Date.now(), ...ids]
  await client.query({ ...enter, values })
  await client.query('commit')
}

const debitFor = async (milliseconds: number) => {
  const [began, before] = [performance.now(), total]
  const work = async (client: pg.Client) => {
    while (performance.now() - began < milliseconds) await debitOnce(client, total++)
  }
  await Promise.all(clients.map(work))
  return { debits: total - before, seconds: (performance.now() - began) / 1_000 }
}

const prepare = async ([client]: readonly pg.Client[]) => {
  await client?.query(schema)
  const names = Array.from({ length: ACCOUNTS }, (_, n) => nameOf('floor', n))
  await client?.query('insert into accounts (user_id, available) select u, $2 from unnest($1::text[]) u', [
    names,
    FUNDS,
  ])
  await client?.query('vacuum analyze accounts')
}

const check = async ([client]: readonly pg.Client[]) => {
  const answer = await client?.query(
    `select (select count(*) from transfers)::int as entries, sum(held)::float8 as held,
       count(*) filter (where available + held <> $1)::int as wrong from accounts`,
    [FUNDS],
  )
  const { entries, held, wrong } = answer?.rows[0] ?? {}
  if (entries !== total || held !== total * PRICE_MICRODOLLARS || wrong !== 0)
    throw new Error(`After ${total} debits there are ${entries} entries, ${held} is held, ${wrong} accounts are wrong.`)
}

for (const client of clients) await client.connect()
await prepare(clients)
await debitFor(WARM_MILLISECONDS)
process.once('message', async () => {
  const measured = await debitFor(SECONDS * 1_000)
  process.send?.(measured)
})
process.once('disconnect', async () => {
  await check(clients)
  await Promise.all(clients.map((client) => client.end()))
})
process.send?.({ ready: true })
