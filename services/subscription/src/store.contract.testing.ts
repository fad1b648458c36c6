import { laneOf, type Message, type Saying, type Tx } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { instant, userId } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { at, publishBody } from './bodies.testing.ts'
import type { Books } from './books.ts'
import { decide } from './handlers.ts'
import type { Saga } from './sagas/saga.ts'
import type { Store } from './store.ts'
import { action, openStory, perform } from './story.testing.ts'
import type { World } from './world.testing.ts'

const TABLES = ['subscriptions', 'terms', 'versions', 'operations', 'buyers', 'wishes', 'stocks', 'sagas'] as const
export type TableName = (typeof TABLES)[number]

/** A store, and what it takes to look into it. */
export interface Kept {
  readonly store: Store
  /** @throws what `act` throws; nothing of it is kept then. */
  transaction<T>(act: (tx: Tx) => Promise<T>): Promise<T>
  rows(table: TableName): Promise<readonly object[]>
  /** Everything is forgotten. */
  empty(): Promise<void>
}

const decisions = decide(new Map())
const decideAll = (books: Books, messages: readonly Message[]) =>
  messages.flatMap((one) => (decisions[one.name] as (books: Books, message: Message) => Saying[])(books, one))

/** What the runtime does with a round, without delivery. */
export const roundOn =
  ({ store, transaction }: Pick<Kept, 'store' | 'transaction'>) =>
  (messages: readonly Message[]): Promise<Saying[]> =>
    transaction(async (tx) => {
      const books = await store.load(tx, messages, instant(0))
      const said = decideAll(books, messages)
      await store.save(tx, books)
      return said
    })

export const inRounds = async (
  round: (messages: readonly Message[]) => Promise<Saying[]>,
  messages: readonly Message[],
  size: number,
) => {
  const said: Saying[] = []
  for (let from = 0; from < messages.length; from += size)
    said.push(...(await round(messages.slice(from, from + size))))
  return said
}

const inOrder = (_: string, value: unknown) =>
  value?.constructor === Object ? Object.fromEntries(Object.entries(value).sort()) : value
const sorted = (rows: Iterable<object>) => [...rows].map((row) => JSON.stringify(row, inOrder)).sort()
const shown = ({ id, kind, state, running }: Saga) => ({ id, kind, state, running })

export const purchase = (user: string, operationId: string, planVersion = 1) => {
  const known = { knownSubscriptionId: null, knownEnd: null }
  const body = { userId: userId(user), operationId, planId: 'acme-coding', planVersion, ...known }
  return message('PurchasePlan', body, { time: at(0), correlationId: operationId })
}
export const wish = (user: string, n: number) => {
  const body = { planId: 'acme-coding', userId: userId(user), operationId: `op_wish_${n}` }
  return message('WishRestock', body, { time: at(0) })
}
export const stocked = (available: number, version: number) => {
  const none = { quarantined: 0, assigned: 0, revocationPending: 0, revoked: 0, revocationFailed: 0, retired: 0 }
  const body = { planId: 'acme-coding', providerId: 'acme', version, available, ...none, sellableUntil: null, keys: [] }
  return message('StockChanged', body, { time: at(0) })
}
export const published = () => message('PublishPlan', publishBody(), { time: at(0) })

/** What every store of this service does, told as tests. */
export const keepsTheContract = (open: () => Kept) => {
  test.each([1, 5, 1_000])('stories in rounds of %i are decided and kept as in one set of books', async (size) => {
    const kept = open()
    const stories = fc.sample(fc.array(action, { maxLength: 100, size: 'max' }), { numRuns: 15, seed: 7 })
    for (const story of stories) {
      await kept.empty()
      const world: World = openStory()
      for (const one of story) perform(world, one)
      world.settle()
      const said = await inRounds(roundOn(kept), world.heard, size)
      const { sagas, ...books } = world.books
      for (const table of TABLES.filter((name): name is Exclude<TableName, 'sagas'> => name !== 'sagas'))
        expect(sorted(await kept.rows(table)), table).toEqual(sorted(books[table]))
      expect(sorted(((await kept.rows('sagas')) as Saga[]).map(shown))).toEqual(sorted([...sagas].map(shown)))
      const decided = world.said.filter(({ causationId }) => causationId !== null)
      expect(said.map(({ name }) => name)).toEqual(decided.map(({ name }) => name))
    }
  })

  test('what is to be said again is given once, in its lanes, when its time has come', async () => {
    const kept = open()
    const round = roundOn(kept)
    await round([published()])
    const [hold] = await round([purchase('ada', 'op_1')])
    const failure = { subject: 'ada', messageId: 'm', messageName: 'HoldCredits', reason: 'a bug' }
    const fails = () => round([message('CommandFailed', failure, { correlationId: 'op_1', source: 'credits-ledger' })])
    expect([hold?.name, (await fails())[0]?.name]).toEqual(['HoldCredits', 'ReleaseHold'])
    await fails()
    expect(await kept.rows('sagas')).toMatchObject([{ failures: 1, retryAt: 1_000 }])
    const take = (lane: number, wallClock: number) =>
      kept.transaction((tx) => kept.store.takeRetries(tx, [lane], instant(wallClock), 10))
    const lane = laneOf('ada')
    expect(await take(lane, 999)).toEqual([])
    expect(await take((lane + 1) % 12, 1_000)).toEqual([])
    expect(await take(lane, 1_000)).toMatchObject([{ id: 'op_1', state: 'failing', retryAt: null }])
    expect(await take(lane, 2_000)).toEqual([])
  })

  test('RST-1: those who wait are told once, in the order of asking, by the owner of the plan’s lane', async () => {
    const kept = open()
    const round = roundOn(kept)
    await round([published()])
    const users = Array.from({ length: 30 }, (_, n) => `user ${(n * 7) % 30}`)
    for (const [n, user] of users.entries()) await round([wish(user, n)])
    const late = 'user late'
    const said = await round([stocked(1, 1), wish(late, 99), stocked(0, 2), wish(late, 100)])
    expect(said.map(({ name }) => name)).toEqual(['RestockWishRefused', 'RestockWished'])
    const take = (lane: number) => kept.transaction((tx) => kept.store.takeNotices(tx, [lane], 20))
    const lane = laneOf('acme-coding')
    expect(await take((lane + 1) % 12)).toEqual([])
    const told = [...(await take(lane)), ...(await take(lane)), ...(await take(lane))]
    expect(told.map((notice) => notice.userId)).toEqual(users)
    expect(new Set(told.map(({ notice }) => notice))).toEqual(new Set([1]))
    const wishes = (await kept.rows('wishes')) as { wished: boolean }[]
    expect(wishes.filter(({ wished }) => wished)).toHaveLength(31)
  })

  test('of a round that fails nothing is kept', async () => {
    const kept = open()
    await roundOn(kept)([published()])
    const failed = kept.transaction(async (tx) => {
      const messages = [purchase('ada', 'op_1')]
      const books = await kept.store.load(tx, messages, instant(0))
      decideAll(books, messages)
      await kept.store.save(tx, books)
      throw new Error('The process dies.')
    })
    await expect(failed).rejects.toThrow('dies')
    for (const table of ['sagas', 'operations', 'buyers'] as const)
      expect(((await kept.rows(table)) as object[]).filter((row) => JSON.stringify(row).includes('op_1'))).toEqual([])
    expect((await roundOn(kept)([purchase('ada', 'op_1')])).map(({ name }) => name)).toEqual(['HoldCredits'])
  })
}
