import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { askAll } from './outlook.ts'

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
