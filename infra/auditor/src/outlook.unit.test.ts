import { instant } from '@coding-plans/schemas'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { QUIET_MILLISECONDS } from './differences.ts'
import { askAll, hanging } from './outlook.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a database that refuses or is silent says nothing, and does not keep the others from being compared', async () => {
  const warned: object[] = []
  const told = askAll(
    [
      { service: 'credits-ledger', ask: async () => ({ 'ledger balance': 7 }) },
      { service: 'subscription', ask: () => Promise.reject(new Error('connection refused')) },
      { service: 'key-inventory', ask: () => new Promise(() => {}) },
    ],
    { warn: (what) => void warned.push(what) },
  )
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await told).toEqual({ totals: { 'ledger balance': 7 }, silent: ['subscription', 'key-inventory'] })
  expect(warned).toMatchObject([{ service: 'subscription' }, { service: 'key-inventory' }])
})

test('operations that the gateway accepted long ago and nobody answered hang at once', () => {
  const at = instant(100_000)
  expect(hanging(0, at)).toEqual([])
  expect(hanging(2, at)).toMatchObject([
    { check: 'nothing_hangs', since: at - QUIET_MILLISECONDS, detail: expect.stringMatching(/: 2$/) },
  ])
})
