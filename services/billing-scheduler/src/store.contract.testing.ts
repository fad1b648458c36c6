import type { Tx } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type Agenda, count } from './agenda.ts'
import type { Term } from './domain/term.ts'
import type { Store } from './store.ts'

/** A store with a clock of test mode that stands at 50, and what it takes to put terms into it. */
export interface Kept {
  readonly store: Store
  /** @throws what `act` throws; nothing of it is kept then. */
  transaction<T>(act: (tx: Tx) => Promise<T>): Promise<T>
  insert(terms: readonly Term[]): Promise<unknown>
  change(which: (term: Term) => boolean, to: (term: Term) => Term): Promise<unknown>
}

export const EVERY_LANE = Array.from({ length: 12 }, (_, lane) => lane)
export const WALL = instant(1_000_000)
const AT = { wallClock: WALL }
export const term = ({ boundary = instant(100), ...change }: Partial<Term>): Term => ({
  subscriptionId: 'sub_1',
  userId: userId('ada'),
  lane: 0,
  boundary,
  what: 'period_ended',
  due: boundary,
  free: false,
  createdAt: instant(1),
  version: 1,
  state: 'waiting',
  attempt: 0,
  retryAt: null,
  ...change,
})
export const idsOf = (terms: readonly Term[]) => terms.map(({ subscriptionId }) => subscriptionId)

/** What every store of the scheduler does, told as tests. Each is given a new one. */
export const keepsTheContract = (open: () => Kept) => {
  const opened = () => {
    const kept = open()
    const within = <T>(work: (tx: Tx) => Promise<T>) => kept.transaction(work)
    const take = (horizon: number, { lanes = EVERY_LANE, most = 100, wallClock = WALL } = {}) =>
      within((tx) => kept.store.takeDue(tx, lanes, { horizon: instant(horizon), wallClock, most }))
    const answer = (...ids: string[]) =>
      kept.change(
        ({ subscriptionId }) => ids.includes(subscriptionId),
        (one) => ({ ...one, state: 'waiting', due: instant(one.due + 1_000) }),
      )
    return { kept, within, take, insert: kept.insert, answer }
  }

  test('REN-1: a term is due at its boundary, not before, and said once', async () => {
    const { take, insert } = opened()
    await insert([term({})])
    expect(await take(99)).toEqual([])
    expect(await take(100)).toEqual([term({ state: 'said' })])
    expect(await take(100)).toEqual([])
  })

  test('LED-3: what is due is said by due time, then the older subscription, then its id', async () => {
    const { take, insert } = opened()
    const others = (subscriptionId: string, boundary: number, createdAt: number) =>
      term({
        subscriptionId,
        userId: userId(subscriptionId),
        boundary: instant(boundary),
        createdAt: instant(createdAt),
      })
    await insert([others('sub_d', 90, 4), others('sub_b', 80, 3), others('sub_a', 80, 3), others('sub_c', 80, 2)])
    expect(idsOf(await take(100))).toEqual(['sub_c', 'sub_a', 'sub_b', 'sub_d'])
  })

  test('LED-3: all that a user has due at one instant is said together; the next instant when all of it is answered', async () => {
    const { take, insert, answer } = opened()
    await insert([
      term({ subscriptionId: 'sub_late', boundary: instant(200) }),
      term({ subscriptionId: 'sub_new', createdAt: instant(7) }),
      term({ subscriptionId: 'sub_old', createdAt: instant(5) }),
      term({ subscriptionId: 'sub_other', userId: userId('bob'), boundary: instant(300) }),
    ])
    expect(idsOf(await take(500))).toEqual(['sub_old', 'sub_new', 'sub_other'])
    await answer('sub_old')
    expect(await take(500)).toEqual([])
    await answer('sub_new')
    expect(idsOf(await take(500))).toEqual(['sub_late'])
  })

  test('a call that takes few users still takes all that these users have due at that instant', async () => {
    const { take, insert } = opened()
    await insert(['sub_1', 'sub_2', 'sub_3'].map((subscriptionId) => term({ subscriptionId })))
    await insert([term({ subscriptionId: 'sub_4', userId: userId('bob'), boundary: instant(101) })])
    expect(idsOf(await take(500, { most: 1 }))).toEqual(['sub_1', 'sub_2', 'sub_3'])
    expect(idsOf(await take(500, { most: 1 }))).toEqual(['sub_4'])
  })

  test('REN-4: a term that waits for its next attempt holds back its user alone, and is said when the time has come', async () => {
    const { take, insert, answer } = opened()
    await insert([
      term({ attempt: 1, retryAt: instant(WALL + 1) }),
      term({ subscriptionId: 'sub_same' }),
      term({ subscriptionId: 'sub_next', boundary: instant(200) }),
      term({ subscriptionId: 'sub_bob', userId: userId('bob') }),
    ])
    expect(idsOf(await take(500))).toEqual(['sub_bob', 'sub_same'])
    await answer('sub_same')
    expect(await take(500)).toEqual([])
    expect(await take(500, { wallClock: instant(WALL + 1) })).toEqual([term({ state: 'said', attempt: 1 })])
  })

  test('what is answered or ended is never due', async () => {
    const { kept, within, take, insert } = opened()
    await insert([term({ state: 'answered' }), term({ subscriptionId: 'sub_2', state: 'ended' })])
    expect(await take(500)).toEqual([])
    expect(await within((tx) => kept.store.countUnanswered(tx, instant(500)))).toBe(0)
  })

  test('unanswered is what was said, whatever its boundary, and what is due and waits', async () => {
    const { kept, within, insert } = opened()
    await insert([
      term({ state: 'said', boundary: instant(900) }),
      term({ subscriptionId: 'sub_2', userId: userId('bob') }),
      term({ subscriptionId: 'sub_3', userId: userId('eve'), boundary: instant(101) }),
    ])
    expect(await within((tx) => kept.store.countUnanswered(tx, instant(100)))).toBe(2)
    expect(await within((tx) => kept.store.hasUnanswered(tx, instant(99)))).toBe(true)
    expect(await within((tx) => kept.store.findFurthestSaid(tx))).toBe(900)
    await kept.change(
      ({ state }) => state === 'said',
      (one) => ({ ...one, state: 'answered' }),
    )
    expect(await within((tx) => kept.store.hasUnanswered(tx, instant(99)))).toBe(false)
    expect(await within((tx) => kept.store.findFurthestSaid(tx))).toBeNull()
  })

  test('whatever says or changes a term raises the generation, and nothing else does', async () => {
    const { kept, within, take, insert } = opened()
    const generation = () => within((tx) => kept.store.readGeneration(tx))
    await insert([term({})])
    const before = await generation()
    await take(99)
    expect(await generation()).toBe(before)
    await take(100)
    const said = await generation()
    expect(said).toBeGreaterThan(before)
    await within(async (tx) => {
      const agenda = await kept.store.loadAgenda(tx, [], AT)
      await kept.store.saveAgenda(tx, agenda)
    })
    expect(await generation()).toBe(said)
    await within(async (tx) => {
      const agenda = await kept.store.loadAgenda(tx, [], AT)
      agenda.terms.set('sub_1', term({ version: 2 }))
      agenda.changed.add('sub_1')
      await kept.store.saveAgenda(tx, agenda)
    })
    expect(await generation()).toBeGreaterThan(said)
  })

  test('a round knows the terms its messages name, and of a user whose due message failed what was said', async () => {
    const { kept, within, insert } = opened()
    const eve = userId('eve')
    await insert([
      term({ subscriptionId: 'sub_named' }),
      term({ subscriptionId: 'sub_said', userId: eve, state: 'said' }),
      term({ subscriptionId: 'sub_waiting', userId: eve }),
      term({ subscriptionId: 'sub_foreign', userId: userId('bob'), state: 'said' }),
    ])
    const messages = [
      message('DueIgnored', {
        userId: userId('ada'),
        subscriptionId: 'sub_named',
        boundary: instant(100),
        what: 'period_ended',
      }),
      message('CommandFailed', { subject: eve, messageId: 'm', messageName: 'PeriodEnded', reason: 'a bug' }),
    ]
    const agenda = await within((tx) => kept.store.loadAgenda(tx, messages, AT))
    expect([...agenda.terms.keys()].sort()).toEqual(['sub_named', 'sub_said'])
  })

  test('advances take turns in the order they were asked for, each once', async () => {
    const { kept, within } = opened()
    const ask = (operationId: string) =>
      within(async (tx) => {
        const agenda = await kept.store.loadAgenda(tx, [], AT)
        agenda.requested.push({ operationId, toInstant: null, byDuration: 'P1D', actor: 'admin-1', outage: false })
        await kept.store.saveAgenda(tx, agenda)
      })
    for (const id of ['op_b', 'op_a', 'op_b']) await ask(id)
    expect(await within((tx) => kept.store.findNextAdvance(tx))).toMatchObject({
      operationId: 'op_b',
      byDuration: 'P1D',
      toInstant: null,
    })
    await within((tx) => kept.store.answerAdvance(tx, 'op_b', WALL))
    expect(await within((tx) => kept.store.findNextAdvance(tx))).toMatchObject({ operationId: 'op_a' })
    await within((tx) => kept.store.answerAdvance(tx, 'op_a', instant(WALL + 9 * 86_400_000)))
    expect(await within((tx) => kept.store.findNextAdvance(tx))).toBeNull()
  })

  test('a tick is answered when nothing up to its instant is left, or its wait is over, with what was counted since', async () => {
    const { kept, within, take, insert } = opened()
    const waitUntil = instant(WALL + 500)
    const answered = (wallClock = WALL) => within((tx) => kept.store.findAnsweredTicks(tx, wallClock))
    const round = (change: (agenda: Agenda) => void) =>
      within(async (tx) => {
        const agenda = await kept.store.loadAgenda(tx, [], AT)
        change(agenda)
        await kept.store.saveAgenda(tx, agenda)
      })
    await within((tx) => kept.store.readClock(tx))
    await insert([term({}), term({ subscriptionId: 'sub_2', userId: userId('bob'), boundary: instant(101) })])
    await round((agenda) => count(agenda, { lane: 3 }, 'renewed'))
    await round((agenda) => agenda.ticks.push({ operationId: 'op_tick', asOf: instant(100), askedAt: WALL, waitUntil }))
    expect(await answered()).toEqual([])
    await take(100)
    expect(await answered()).toEqual([])
    expect(await answered(waitUntil)).toMatchObject([{ operationId: 'op_tick', counts: { renewed: 0 } }])
    await kept.change(
      ({ state }) => state === 'said',
      (one) => ({ ...one, state: 'answered' }),
    )
    for (const lane of [3, 5]) await round((agenda) => count(agenda, { lane }, 'renewed'))
    const none = { ended: 0, pastDue: 0, recovered: 0, topUps: 0, duplicates: 0, errors: 0 }
    expect(await answered()).toEqual([{ operationId: 'op_tick', asOf: 100, counts: { renewed: 2, ...none } }])
    await within((tx) => kept.store.answerTick(tx, 'op_tick', WALL))
    expect(await answered()).toEqual([])
  })

  test('a tick behind an advance that has not begun joins it', async () => {
    const { kept, within, insert } = opened()
    const round = (change: (agenda: Agenda) => void) =>
      within(async (tx) => {
        const agenda = await kept.store.loadAgenda(tx, [], AT)
        change(agenda)
        await kept.store.saveAgenda(tx, agenda)
      })
    const clock = await within((tx) => kept.store.readClock(tx))
    const advance = { operationId: 'op_a', toInstant: instant(200), byDuration: null, actor: 'admin-1', outage: false }
    await insert([term({})])
    await round((agenda) => {
      agenda.requested.push(advance)
      agenda.ticks.push({ operationId: 'op_tick', asOf: null, askedAt: WALL, waitUntil: instant(WALL + 500) })
    })
    const answered = () => within((tx) => kept.store.findAnsweredTicks(tx, WALL))
    expect(await answered()).toEqual([])
    const running = { operationId: 'op_a', target: instant(200), horizon: instant(200), movedAt: WALL }
    await within((tx) => kept.store.writeClock(tx, { ...clock, ...running }))
    expect(await answered()).toEqual([])
    await kept.change(
      () => true,
      (one) => ({ ...one, state: 'answered' }),
    )
    expect(await answered()).toMatchObject([{ operationId: 'op_tick', asOf: 200 }])
  })
}
