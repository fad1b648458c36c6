import { expect, test } from 'vitest'
import { isFinished, isRead, type Offsets } from './settled.ts'

const offsets = (topics: Record<string, number[]>): Offsets =>
  new Map(Object.entries(topics).map(([topic, lanes]) => [topic, new Map(lanes.map((offset, lane) => [lane, offset]))]))

test('everything is read when each group has committed the ends of its own topics', () => {
  const committed = new Map([
    ['subscription', offsets({ 'subscription.commands': [3, 0], 'billing-scheduler.events': [2, 1] })],
    ['gateway', offsets({ 'billing-scheduler.events': [2, 1] })],
  ])
  const ends = offsets({ 'subscription.commands': [3, 0], 'billing-scheduler.events': [2, 1], 'unread.events': [9, 9] })
  expect(isRead(committed, ends)).toBe(true)
})

test('one group behind on one lane means that something is unread', () => {
  const ends = offsets({ 'billing-scheduler.events': [2, 1] })
  const behind = offsets({ 'billing-scheduler.events': [2, 0] })
  const there = offsets({ 'billing-scheduler.events': [2, 1] })
  expect(
    isRead(
      new Map([
        ['gateway', behind],
        ['subscription', there],
      ]),
      ends,
    ),
  ).toBe(false)
})

test('an end that was committed by nobody yet is unread, unless it is the beginning', () => {
  const committed = new Map([['gateway', offsets({ 'subscription.events': [1] })]])
  expect(isRead(committed, offsets({ 'subscription.events': [1, 1] }))).toBe(false)
  expect(isRead(committed, offsets({ 'subscription.events': [1, 0] }))).toBe(true)
  expect(
    isRead(
      new Map([['gateway', offsets({ 'subscription.events': [1, -1] })]]),
      offsets({ 'subscription.events': [1, 0] }),
    ),
  ).toBe(true)
})

test('a group that has not begun to read, or a topic without an end, is not read', () => {
  expect(isRead(new Map([['gateway', offsets({})]]), offsets({}))).toBe(false)
  expect(isRead(new Map([['gateway', offsets({ 'subscription.events': [1] })]]), offsets({}))).toBe(false)
})

test('a process is finished when nothing is unpublished, called or due', () => {
  expect(isFinished({ unpublished: 0, calls: 0, due: 0 })).toBe(true)
  for (const open of ['unpublished', 'calls', 'due'])
    expect(isFinished({ unpublished: 0, calls: 0, due: 0, [open]: 1 })).toBe(false)
})
