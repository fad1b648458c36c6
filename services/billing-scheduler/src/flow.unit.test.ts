import type { Message } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { Flow, MOST_UNDER_WAY, MOST_UNDER_WAY_BESIDE_BUYERS } from './flow.ts'

const at = (milliseconds: number): Instant => instant(1_000_000 + milliseconds)
const ids = (count: number) => Array.from({ length: count }, (_, n) => `sub_${n}`)
const heard = (name: string) => [{ name }] as unknown as Message[]

test('there is room for what is not under way; an answer makes room, once', () => {
  const flow = new Flow()
  flow.said(ids(MOST_UNDER_WAY - 1), at(0))
  expect(flow.room(at(1))).toBe(1)
  flow.said(['sub_0', 'sub_last'], at(2))
  expect(flow.room(at(3))).toBe(0)
  flow.answered('sub_7')
  flow.answered('sub_7')
  flow.answered('sub_unheard_of')
  expect(flow.room(at(4))).toBe(1)
})

test('while somebody buys there is little room, and a second later there is all of it again', () => {
  const flow = new Flow()
  flow.hear(heard('SubscriptionRenewed'), at(0))
  expect(flow.room(at(0))).toBe(MOST_UNDER_WAY)
  flow.said(ids(10), at(0))
  flow.hear(heard('SubscriptionActivated'), at(10))
  expect(flow.room(at(11))).toBe(MOST_UNDER_WAY_BESIDE_BUYERS - 10)
  flow.said(ids(1_000), at(11))
  expect(flow.room(at(12))).toBe(0)
  expect(flow.room(at(1_010))).toBe(MOST_UNDER_WAY - 1_000)
})

test('REN-4: what is not answered for long keeps no place', () => {
  const flow = new Flow()
  flow.said(ids(MOST_UNDER_WAY), at(0))
  flow.said(['sub_3'], at(4_000))
  expect(flow.room(at(4_999))).toBe(0)
  expect(flow.room(at(5_000))).toBe(MOST_UNDER_WAY - 1)
})
