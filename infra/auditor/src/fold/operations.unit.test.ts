import { message } from '@coding-plans/runtime/testing'
import { expect, test } from 'vitest'
import { fold } from './index.ts'
import { ada, told, wrong } from './told.testing.ts'

test('an operation is failed by whom its command is for, not by a step of its saga, nor by who only listens', () => {
  const hanging = (messageName: string, source: string) => {
    const facts = told([
      'PurchasePlan',
      {
        ...{ userId: ada, operationId: 'op_9', planId: 'acme', planVersion: 1 },
        ...{ knownSubscriptionId: null, knownEnd: null },
      },
      'gateway',
    ])
    const failure = { subject: ada, messageId: 'one', messageName, reason: 'a bug' }
    fold(facts, message('CommandFailed', failure, { key: ada, source, correlationId: 'op_9' }) as never)
    return wrong(facts).nothing_hangs?.length ?? 0
  }
  expect(hanging('PurchasePlan', 'subscription')).toBe(0)
  expect(hanging('PurchasePlan', 'auditor')).toBe(1)
  expect(hanging('HoldCredits', 'credits-ledger')).toBe(1)
  expect(hanging('nonsense', 'subscription')).toBe(1)
})
