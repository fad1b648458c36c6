import type { Bed } from '@coding-plans/local/bed'
import { pause } from '@coding-plans/runtime'
import { openCounter } from '@coding-plans/runtime/testing'
import pg from 'pg'
import { type Feed, fundsOf, PRICE_MICRODOLLARS, prefixOf } from './ledger-feed.ts'
import { DATABASE, EVENTS } from './ledger-process.ts'

// Speed without right is none: what was answered is read again from the first answer, and the books are added up.

const DEADLINE_MILLISECONDS = 300_000
const DEAD_LETTERS = 'credits-ledger.commands.credits-ledger.dlq'

/** How many answers of each event the users of each variant got, and about which holds. A repeat has its first's id. */
const readAnswers = async (bed: Bed, total: number) => {
  const listener = await bed.listener([EVENTS])
  const tallies = new Map<string, { count: number; holds: Set<string> }>()
  const seen = new Set<string>()
  const until = Date.now() + DEADLINE_MILLISECONDS
  for (let read = 0; read < total; await pause(20)) {
    if (Date.now() > until) throw new Error(`Read ${read} of ${total} answers within ${DEADLINE_MILLISECONDS} ms.`)
    // Taken out as they come: a full run has more than memory should hold.
    for (const { id, name, body } of listener.heard.splice(0)) {
      read += 1
      if (seen.has(id)) continue
      seen.add(id)
      const what = `${String(body?.userId ?? body?.subject).replace(/\d+$/, '')} ${name}`
      const tally = tallies.get(what) ?? { count: 0, holds: new Set() }
      tallies.set(what, tally)
      tally.count += 1
      if (body?.holdId) tally.holds.add(body.holdId)
    }
  }
  return tallies
}

const checkAnswers = async (bed: Bed, feeds: readonly Feed[]) => {
  const counter = await openCounter(bed.servers)
  const [total, dead] = await Promise.all([counter.count(EVENTS), counter.count(DEAD_LETTERS)])
  await counter.close()
  if (dead > 0) throw new Error(`The ledger put ${dead} dead letters away.`)
  const tallies = await readAnswers(bed, total)
  for (const { variant, users, holds, captured } of feeds) {
    const expected = {
      CreditsPosted: { count: users, distinct: 0 },
      AvailableIncreased: { count: users, distinct: 0 },
      ActionAudited: { count: users, distinct: 0 },
      CreditsHeld: { count: holds, distinct: holds },
      ...(captured ? { HoldCaptured: { count: holds, distinct: holds } } : {}),
    }
    for (const [name, { count, distinct }] of Object.entries(expected)) {
      const what = `${prefixOf(variant)} ${name}`
      const found = tallies.get(what)
      tallies.delete(what)
      if (found?.count !== count || found.holds.size !== distinct)
        throw new Error(`${what}: ${found?.count ?? 0} of ${found?.holds.size ?? 0} holds, and not ${count}.`)
    }
  }
  if (tallies.size > 0) throw new Error(`Nobody asked for ${[...tallies.keys()].join(', ')}.`)
}

const checkBooks = async (client: pg.Client, feed: Feed) => {
  const { rows } = await client.query(
    `select count(*)::int as accounts, sum(available)::float8 as available, sum(held)::float8 as held,
       sum(revenue)::float8 as revenue, sum(promotion)::float8 as promotion,
       count(*) filter (where available + held + revenue + funding + promotion + refund <> 0)::int as unbalanced,
       (select count(*)::int from holds h where starts_with(h.user_id, $1) and state = $2) as holds
     from accounts where starts_with(user_id, $1)`,
    [prefixOf(feed.variant), feed.captured ? 'captured' : 'open'],
  )
  const [funded, taken] = [fundsOf(feed) * feed.users, feed.holds * PRICE_MICRODOLLARS]
  const expected = {
    accounts: feed.users,
    available: funded - taken,
    held: feed.captured ? 0 : taken,
    revenue: feed.captured ? taken : 0,
    promotion: -funded,
    unbalanced: 0,
    holds: feed.holds,
  }
  for (const [name, wanted] of Object.entries(expected))
    if (rows[0][name] !== wanted) throw new Error(`${feed.variant}: ${name} is ${rows[0][name]}, and not ${wanted}.`)
}

/** @throws when an answer is missing, given twice or uncalled for, or when a sum in the database is another. */
export const prove = async (bed: Bed, feeds: readonly Feed[]) => {
  await checkAnswers(bed, feeds)
  const client = new pg.Client({ connectionString: bed.servers.databaseUrl(DATABASE) })
  await client.connect()
  try {
    for (const feed of feeds) await checkBooks(client, feed)
  } finally {
    await client.end()
  }
}
