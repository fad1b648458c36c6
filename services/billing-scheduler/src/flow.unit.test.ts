import type { Message } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { Flow, MOST_UNDER_WAY, MOST_UNDER_WAY_BESIDE_BUYERS } from './flow.ts'

const at = (milliseconds: number): Instant => instant(1_000_000 + milliseconds)
const ids = (count: number) => Array.from({ length: count }, (_, n) => `sub_${n}`)
const heard = (name: string) => [{ name }] as unknown as Message[]
const HALF = MOST_UNDER_WAY / 2

test('there is room for what is not under way; an answer makes room, once', () => {
  const flow = new Flow()
  flow.said(ids(HALF), at(0), false)
  expect(flow.room(at(1))).toBe(HALF)
  flow.said(['sub_0', 'sub_last'], at(2), false)
  expect(flow.room(at(3))).toBe(HALF - 1)
  flow.answered('sub_7', at(3))
  flow.answered('sub_7', at(3))
  flow.answered('sub_unheard_of', at(3))
  expect(flow.room(at(4))).toBe(HALF)
})

test('a little room is none; who could not say all is called once, when there is a third of it', () => {
  let calls = 0
  const flow = new Flow(() => {
    calls += 1
  })
  const all = ids(MOST_UNDER_WAY)
  flow.said(all, at(0), true)
  const third = Math.ceil(MOST_UNDER_WAY / 3)
  for (const id of all.slice(0, third - 1)) flow.answered(id, at(1))
  expect([flow.room(at(1)), calls]).toEqual([0, 0])
  for (const id of all.slice(third - 1)) flow.answered(id, at(1))
  expect([flow.room(at(1)), calls]).toEqual([MOST_UNDER_WAY, 1])
  flow.said(['sub_more'], at(2), false)
  flow.answered('sub_more', at(3))
  expect(calls).toBe(1)
})

test('while somebody buys there is little room, and a second later there is all of it again', () => {
  const flow = new Flow()
  flow.hear(heard('SubscriptionRenewed'), at(0))
  expect(flow.room(at(0))).toBe(MOST_UNDER_WAY)
  flow.said(ids(10), at(0), false)
  flow.hear(heard('SubscriptionActivated'), at(10))
  expect(flow.room(at(11))).toBe(MOST_UNDER_WAY_BESIDE_BUYERS - 10)
  flow.said(ids(HALF), at(11), false)
  expect(flow.room(at(12))).toBe(0)
  expect(flow.room(at(1_010))).toBe(HALF)
})

test('REN-4: what is not answered for long keeps no place', () => {
  const flow = new Flow()
  flow.said(ids(MOST_UNDER_WAY), at(0), false)
  flow.said(ids(10), at(4_000), false)
  expect(flow.room(at(4_999))).toBe(0)
  expect(flow.room(at(5_000))).toBe(MOST_UNDER_WAY - 10)
})
