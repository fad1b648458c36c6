import { openLog } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { expect, test, vi } from 'vitest'
import type { Offsets } from './domain/settled.ts'
import { createSettlement, judge, type Surroundings } from './settlement.ts'

const log = openLog('billing-scheduler', 'silent')
const at = (offset: number): Offsets => new Map([['subscription.events', new Map([[0, offset]])]])
const finished = { unpublished: 0, calls: 0, due: 0 }
const quiet: Surroundings = {
  committed: async () => new Map([['gateway', at(1)]]),
  open: async () => [finished],
  ends: async () => at(1),
}
const question = { operationId: 'op_1', horizon: instant(1_000), generation: 7 }

test('settled is judged by committed offsets first, then what is open, then the ends of the topics that are read', async () => {
  const asked: string[] = []
  const settled = await judge({
    committed: async () => {
      asked.push('committed')
      return quiet.committed()
    },
    open: async () => {
      asked.push('open')
      return [finished, finished]
    },
    ends: async (topics) => {
      asked.push(`ends of ${topics}`)
      return at(1)
    },
  })
  expect(settled).toBe(true)
  expect(asked).toEqual(['committed', 'open', 'ends of subscription.events'])
})

test('not settled while one process has something open, or something is unread', async () => {
  expect(await judge({ ...quiet, open: async () => [finished, { ...finished, calls: 1 }] })).toBe(false)
  expect(await judge({ ...quiet, ends: async () => at(2) })).toBe(false)
})

test('a verdict is told once, and confirms its own question once', async () => {
  const onSettled = vi.fn()
  const settlement = createSettlement(quiet, onSettled, log)
  expect(settlement.confirms(question)).toBe(false)
  await vi.waitFor(() => expect(onSettled).toHaveBeenCalledOnce())
  expect(settlement.confirms(question)).toBe(true)
  expect(settlement.confirms(question)).toBe(false)
})

test('a term that was said or answered since the judgement began voids the verdict', async () => {
  const onSettled = vi.fn()
  const settlement = createSettlement(quiet, onSettled, log)
  settlement.confirms(question)
  await vi.waitFor(() => expect(onSettled).toHaveBeenCalledOnce())
  expect(settlement.confirms({ ...question, generation: 8 })).toBe(false)
  await vi.waitFor(() => expect(onSettled).toHaveBeenCalledTimes(2))
  expect(settlement.confirms({ ...question, generation: 8 })).toBe(true)
})

test('a verdict about a stop on the way says nothing about the target', async () => {
  const onSettled = vi.fn()
  const settlement = createSettlement(quiet, onSettled, log)
  settlement.confirms(question)
  await vi.waitFor(() => expect(onSettled).toHaveBeenCalledOnce())
  expect(settlement.confirms({ ...question, horizon: instant(2_000) })).toBe(false)
})

test('where something does not answer nothing has settled, and the next question is judged anew', async () => {
  const onSettled = vi.fn()
  let answers = false
  const open = vi.fn(async () => {
    if (!answers) throw new Error('connection refused')
    return [finished]
  })
  const settlement = createSettlement({ ...quiet, open }, onSettled, log)
  expect(settlement.confirms(question)).toBe(false)
  await vi.waitFor(() => expect(open).toHaveBeenCalledOnce())
  answers = true
  await vi.waitFor(() => {
    settlement.confirms(question)
    expect(onSettled).toHaveBeenCalled()
  })
})
