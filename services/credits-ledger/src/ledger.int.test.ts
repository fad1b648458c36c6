import { type Bed, openBed } from '@coding-plans/local/bed'
import { type FakeCharge, startFakePayments } from '@coding-plans/local/fake-payments'
import { type Running, select } from '@coding-plans/runtime'
import { eventually, type Heard, LANES, type Listener, type Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, instant, userId } from '@coding-plans/schemas'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  BOUNDARY,
  captureHold,
  holdCredits,
  postCredits,
  releaseHold,
  setAutoTopUp,
  topUpCredits,
} from './bodies.testing.ts'
import type { Command } from './book.testing.ts'
import type { Account } from './domain/account.ts'
import type { Transfer } from './domain/transfer.ts'
import { handler, SERVICE } from './handlers.ts'
import { migrations } from './migrations/index.ts'
import { fakePayments, paymentCalls } from './payments.ts'
import { verifyLedger } from './verify-ledger.ts'

const DATABASE = 'ledger'
const EVENTS = 'credits-ledger.events'
const DEAD_LETTERS = 'credits-ledger.commands.credits-ledger.dlq'
const NOW = instant(BOUNDARY + 1_000)

let bed: Bed
let heard: Listener
let speaker: Speaker
let first: Running
let payments: Awaited<ReturnType<typeof startFakePayments>>
const others: Running[] = []

const start = () => {
  const calls = paymentCalls(fakePayments(payments.url))
  return bed.start({
    service: SERVICE,
    handler: { ...handler, calls },
    migrations,
    database: DATABASE,
    env: { CLOCK: 'test' },
  })
}

beforeAll(async () => {
  bed = await openBed()
  payments = await startFakePayments()
  first = await start()
  heard = await bed.listener([EVENTS, DEAD_LETTERS])
  speaker = await bed.speaker('subscription')
})
afterAll(async () => {
  await payments?.close()
  await bed?.close()
})
afterEach(async () => {
  for (const one of others.splice(0)) await one.stop()
  // Who takes lanes over may say again what was said last: not in the middle of the next test.
  await eventually(
    () => first.worker.lanes.length,
    (count) => count === LANES,
  )
  // LED-5, beside the running service and whatever a test did.
  expect((await verifyLedger(first.knex)).complaints).toEqual([])
})

type Asked = { [Name in Command]: [Name, Bodies[Name]] }[Command]
const said: ReturnType<Speaker['record']>[] = []

/** Says these in this order. Another cause makes another message of the same words. */
const say = async (asked: readonly Asked[], cause = 'first') => {
  const records = asked.map(([name, body]) => {
    const subject = 'holdId' in body ? body.holdId : 'topUpId' in body ? body.topUpId : body.operationId
    return speaker.record(name, body as never, { cause: `${cause} ${name} ${subject}`, time: NOW })
  })
  said.push(...records)
  await speaker.say(records)
  return records
}
/** Of no name: all that answers. */
const about =
  (user: string, ...names: string[]) =>
  (one: Heard) =>
    one.topic === EVENTS &&
    one.key === user &&
    (names.length === 0 ? one.name !== 'AvailableIncreased' : names.includes(one.name as string))
const answersOf = (user: string) => heard.heard.filter(about(user)).map(({ name }) => name)
const accounts = (like: string) =>
  select<Account>(first.knex, 'select * from accounts where user_id like ? order by user_id', [like])
const transfersOf = (like: string) =>
  select<Transfer>(first.knex, 'select * from transfers where user_id like ? order by user_id, sequence', [like])
const grant = (user: string, amount: number): Asked => ['PostCredits', postCredits(user, `grant ${user}`, amount)]

test('LED-3: a purchase in one breath: granted, held, captured, told in this order with growing versions', async () => {
  await say([
    grant('ada', 50),
    ['HoldCredits', holdCredits('ada', 'hold_ada', 20)],
    ['CaptureHold', captureHold('ada', 'hold_ada')],
    ['HoldCredits', holdCredits('ada', 'hold_more', 31)],
    ['ReleaseHold', releaseHold('ada', 'hold_none')],
  ])
  const told = await heard.until(about('ada'), 6)
  expect(told.map(({ name, body }) => [name, body.version, body.balance, body.held])).toEqual([
    ['CreditsPosted', 1, 50, 0],
    ['ActionAudited', undefined, undefined, undefined],
    ['CreditsHeld', 2, 50, 20],
    ['HoldCaptured', 3, 30, 0],
    ['HoldDeclined', 3, undefined, undefined],
    ['HoldReleased', 3, 30, 0],
  ])
  expect(told.map(({ headers }) => headers.ce_time)).toEqual(Array(6).fill(new Date(NOW).toISOString()))
})

test('LED-2: 40 holds of 10 against 100, said at once to two instances: exactly 10', async () => {
  others.push(await start())
  await say([grant('bob', 100)])
  await say(Array.from({ length: 40 }, (_, n): Asked => ['HoldCredits', holdCredits('bob', `hold_bob_${n}`, 10)]))
  const told = await heard.until(about('bob', 'CreditsHeld', 'HoldDeclined'), 40)
  expect(told.map(({ body }) => body.holdId)).toEqual(Array.from({ length: 40 }, (_, n) => `hold_bob_${n}`))
  expect(told.map(({ name }) => name)).toEqual([...Array(10).fill('CreditsHeld'), ...Array(30).fill('HoldDeclined')])
  expect(await accounts('bob')).toMatchObject([{ available: 0, held: 100, version: 11 }])
})

test('IDE-4: the same message again is not heard; the same words in another message hear the same answer', async () => {
  const asked: Asked[] = [
    grant('eve', 30),
    ['HoldCredits', holdCredits('eve', 'hold_eve', 10)],
    ['CaptureHold', captureHold('eve', 'hold_eve')],
  ]
  await say(asked)
  const told = await heard.until(about('eve'), 4)
  await say(asked)
  await say(asked, 'again')
  const again = (await heard.until(about('eve'), 7)).slice(4)
  const bodies = (all: readonly Heard[]) => all.map(({ name, body }) => [name, body])
  expect(bodies(again)).toEqual(bodies(told.filter(({ name }) => name !== 'ActionAudited')))
  expect(await accounts('eve')).toMatchObject([{ available: 20, held: 0, revenue: 10, version: 3 }])
})

test('nonsense is a dead letter, its sender is told, and the user’s other commands take effect', async () => {
  const [, poison] = await say([
    grant('kim', 30),
    ['CaptureHold', captureHold('kim', 'hold_nobody_opened')],
    ['HoldCredits', holdCredits('kim', 'hold_kim', 10)],
  ])
  await heard.until(about('kim', 'CreditsHeld'))
  const [failed] = await heard.until(about('kim', 'CommandFailed'))
  expect(failed?.body).toMatchObject({ messageId: poison?.headers.ce_id, messageName: 'CaptureHold' })
  expect(failed?.body.reason).toContain('no hold')
  const [letter] = await heard.until(({ topic, key }) => topic === DEAD_LETTERS && key === 'kim')
  expect(letter?.headers.ce_id).toBe(poison?.headers.ce_id)
})

const chargesOf = async (user: string) => {
  const answer = await fetch(`${payments.url}/charges?userId=${user}`)
  return ((await answer.json()) as { data: FakeCharge[] }).data
}

test('TOP-1: 20 copies of one top-up, said to two instances, charge once and are one entry', async () => {
  others.push(await start())
  await say([['SetAutoTopUp', setAutoTopUp('tom', 'pm_ok', 40)]])
  for (let n = 0; n < 20; n += 1) await say([['TopUpCredits', topUpCredits('tom', 'tup_tom', 15)]], `copy ${n}`)
  const [paid] = await heard.until(about('tom', 'CreditsToppedUp'))
  expect(paid?.body).toMatchObject({ topUpId: 'tup_tom', amount: 40, balance: 40 })
  const [more] = await heard.until(about('tom', 'AvailableIncreased'))
  expect(more?.body).toMatchObject({ available: 40, cause: 'top_up' })
  expect(await chargesOf('tom')).toMatchObject([{ amount: 40, returned: false }])
  expect(await transfersOf('tom')).toMatchObject([{ kind: 'top_up', amount: 40 }])
})

test('TOP-2: a payment that is never answered says so once, after its time, and is asked again under the same key', async () => {
  await say([
    ['SetAutoTopUp', setAutoTopUp('nev', 'pm_never', 40)],
    ['TopUpCredits', topUpCredits('nev', 'tup_nev', 15)],
  ])
  await heard.until(about('nev', 'TopUpUnanswered'), 1, 30_000)
  const asked = async () =>
    (await select<{ id: string; attempts: number }>(first.knex, 'select id, attempts from effects'))[0]
  const before = await asked()
  expect(before?.attempts).toBe(1)
  const again = await eventually(asked, (effect) => (effect?.attempts ?? 0) >= 2, 30_000)
  expect(again?.id).toBe(before?.id)
  expect(heard.heard.filter(about('nev', 'TopUpUnanswered'))).toHaveLength(1)
  await first.knex.raw('delete from effects')
})

test('GDP-1: money that arrives for who is deleted goes back, and is no entry', async () => {
  await say([
    ['SetAutoTopUp', setAutoTopUp('del', 'pm_slow', 40)],
    ['TopUpCredits', topUpCredits('del', 'tup_del', 15)],
    ['CloseAccount', { userId: userId('del'), operationId: 'op_del' }],
  ])
  await heard.until(about('del', 'PaymentReturned'))
  expect(await chargesOf('del')).toMatchObject([{ amount: 40, returned: true }])
  expect(await transfersOf('del')).toEqual([])
  expect(await accounts('del')).toMatchObject([{ available: 0, closedAt: NOW }])
})

test('IDE-4: every command again from the first, with the seen ids gone: nothing changes', async () => {
  // Declined for want of credits that have come since: a copy must not hold them.
  await say([['HoldCredits', holdCredits('liv', 'hold_liv', 10)]])
  await heard.until(about('liv', 'HoldDeclined'))
  await say([grant('liv', 100)])
  await heard.until(about('liv', 'CreditsPosted'))
  const before = { accounts: await accounts('%'), transfers: await transfersOf('%') }
  const answered = answersOf('liv').length
  await first.knex.raw('truncate seen')
  const all = [...said]
  await speaker.say(all)
  await heard.until(about('liv', 'HoldDeclined', 'CreditsPosted'), 4)
  // One more user, last in every lane, so that all that was repeated lies behind.
  const lanes = Array.from({ length: 60 }, (_, n) => `last ${n}`)
  await say(lanes.map((user) => grant(user, 1)))
  await heard.until(({ name, key }) => name === 'CreditsPosted' && key.startsWith('last '), lanes.length)
  const known = (one: { userId: string }) => !one.userId.startsWith('last ')
  expect((await accounts('%')).filter(known)).toEqual(before.accounts)
  expect((await transfersOf('%')).filter(known)).toEqual(before.transfers)
  expect(answersOf('liv').slice(answered)).toEqual(['HoldDeclined', 'CreditsPosted'])
})

test('LED-1, LED-4: many users’ purchases while instances come and go: every hold ends, every credit is somewhere', async () => {
  const users = Array.from({ length: 200 }, (_, n) => `many ${n}`)
  await say(users.map((user) => grant(user, 100)))
  others.push(await start())
  await say(
    users.flatMap((user): Asked[] => [0, 1, 2].map((n) => ['HoldCredits', holdCredits(user, `${user} ${n}`, 30)])),
  )
  await heard.until(({ name, key }) => name === 'CreditsHeld' && key.startsWith('many '), 100)
  await others.pop()?.stop()
  await say(
    users.flatMap((user): Asked[] => [
      ['CaptureHold', captureHold(user, `${user} 0`)],
      ['ReleaseHold', releaseHold(user, `${user} 1`)],
      ['CaptureHold', captureHold(user, `${user} 2`)],
    ]),
  )
  others.push(await start())
  // Whoever takes over a lane may say once more what its last owner said, never anything else.
  const ends = () => {
    const told = heard.heard.filter(
      ({ key, name }) => key.startsWith('many ') && (name === 'HoldCaptured' || name === 'HoldReleased'),
    )
    return new Set(told.map(({ id }) => id)).size
  }
  await eventually(ends, (count) => count >= users.length * 3, 60_000)
  const all = await accounts('many %')
  expect(all).toHaveLength(users.length)
  for (const one of all) expect(one).toMatchObject({ available: 40, held: 0, revenue: 60, promotion: -100, version: 7 })
})
