import { expect, test } from 'vitest'
import { assignKey, bodies, removeKey, settleRevocation, upload, World } from './world.testing.ts'

const KEY = 'op_up/1'
const SECRET = 'sk-live-0123456789'
/** A key whose access has ended, under this policy. */
const ended = (upstreamRevocation: 'never' | 'manual' = 'manual') => {
  const world = new World()
  world.round(upload('op_up', [SECRET]), assignKey('ada', 'op_1', { upstreamRevocation }), removeKey('ada', 'sub_op_1'))
  return world
}
const stateOf = (world: World) => world.keys.get(KEY)?.state

test('INV-9: pending, failed, tried anew, done; each is counted, told and audited', () => {
  const world = ended()
  const failed = world.round(settleRevocation(KEY, 'op_2', 'failed', { reason: 'vendor is down' }))
  expect(bodies(failed, 'RevocationSettled')).toMatchObject([{ keyId: KEY, outcome: 'failed', stockVersion: 2 }])
  expect(bodies(failed, 'StockChanged')).toMatchObject([
    { version: 2, revocationFailed: 1, keys: [{ keyId: KEY, attempts: 1, lastError: 'vendor is down' }] },
  ])
  expect(bodies(failed, 'ActionAudited')).toMatchObject([
    {
      action: 'key.revocation',
      target: KEY,
      before: '{"state":"revocation_pending","attempts":0}',
      reason: 'vendor is down',
    },
  ])
  world.round(settleRevocation(KEY, 'op_3', 'requeue'))
  expect(stateOf(world)).toBe('revocation_pending')
  world.round(settleRevocation(KEY, 'op_4', 'done'))
  expect(stateOf(world)).toBe('revoked')
  expect(world.countsOf('gold')).toMatchObject({ revoked: 1, revocation_pending: 0, revocation_failed: 0 })
})

test('INV-9: the reason is kept without the key', () => {
  const world = ended()
  const said = world.round(settleRevocation(KEY, 'op_2', 'failed', { reason: `401 for ${SECRET}, sic` }))
  const cleaned = `401 for ${'•'.repeat(SECRET.length)}, sic`
  expect(world.keys.get(KEY)?.lastError).toBe(cleaned)
  expect(JSON.stringify(said)).not.toContain('0123456789')
})

test('INV-9: from no other state, and of no key that is not there', () => {
  const world = ended('never')
  for (const outcome of ['done', 'failed', 'requeue'] as const)
    expect(bodies(world.round(settleRevocation(KEY, `op_${outcome}`, outcome)), 'RevocationRefused')).toMatchObject([
      { reason: 'revocation_state' },
    ])
  const nowhere = world.round(settleRevocation('key_nowhere', 'op_9', 'done'))
  expect(bodies(nowhere, 'RevocationRefused')).toMatchObject([{ reason: 'not_found', stockVersion: null }])
  const requeued = ended().round(settleRevocation(KEY, 'op_2', 'requeue'))
  expect(bodies(requeued, 'RevocationRefused')).toMatchObject([{ reason: 'revocation_state' }])
})

test('IDE-4: refused while the key was not there, it is refused for ever', () => {
  const world = new World()
  const early = settleRevocation(KEY, 'op_early', 'done')
  expect(bodies(world.round(early), 'RevocationRefused')).toMatchObject([{ reason: 'not_found' }])
  const manual = { upstreamRevocation: 'manual' } as const
  world.round(upload('op_up', [SECRET]), assignKey('ada', 'op_1', manual), removeKey('ada', 'sub_op_1'))
  expect(bodies(world.round(early), 'RevocationRefused')).toMatchObject([{ reason: 'not_found' }])
  expect(stateOf(world)).toBe('revocation_pending')
})

test('IDE-4: the same operation hears the same answer, whatever the key is by then', () => {
  const world = ended()
  const failed = settleRevocation(KEY, 'op_2', 'failed', { reason: 'no' })
  const [first] = bodies(world.round(failed), 'RevocationSettled')
  world.round(settleRevocation(KEY, 'op_3', 'done'))
  expect(bodies(world.round(failed), 'RevocationSettled')).toEqual([first])
  expect(world.keys.get(KEY)).toMatchObject({ state: 'revoked', attempts: 1 })
})
