import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { decideAll } from './deciding.ts'
import { isTrouble, Nonsense, Poisoned, Trouble } from './failures.ts'
import { message } from './testing.ts'

const one = message('TestKey', { userId: userId('ada'), operationId: 'op_1', providerId: 'acme' } as never)

/** A round of one message, whose decision throws this. */
const deciding = (thrown: Error) => {
  const throws = () => {
    throw thrown
  }
  const handler = { load: async () => ({}), decide: { TestKey: throws }, save: async () => {} }
  return decideAll({ service: 'gateway', handler, scribe: {} as never, mode: 'system' }, {} as never, [one], instant(0))
}

test('a decision’s sentence is never taken for trouble, whatever its words', async () => {
  const sentence = 'The plan acme-connect was terminated before its timeout.'
  expect(isTrouble(new Error(sentence))).toBe(true)
  expect(isTrouble(new Nonsense(sentence))).toBe(false)
  const thrown = await deciding(new Error(sentence)).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(Poisoned)
  expect(isTrouble(thrown)).toBe(false)
})

test('what a decision calls trouble stays trouble: it is tried again, not buried', async () => {
  const trouble = new Trouble('The wrapping key kek_0 is not known.')
  await expect(deciding(trouble)).rejects.toBe(trouble)
  expect(isTrouble(trouble)).toBe(true)
})
