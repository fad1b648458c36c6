import { message } from '@coding-plans/runtime/testing'
import { expect, test } from 'vitest'
import { assignKey, bodies, upload, World } from './world.testing.ts'

const outcomes = (report: readonly { outcome: string; reason: string | null }[] = []) =>
  report.map(({ outcome, reason }) => reason ?? outcome)

test('INV-1: an upload is answered line by line, and good lines are kept', () => {
  const world = new World()
  const said = world.round(upload('op_1', ['one', { refused: 'malformed' }, 'two', 'one']))
  const [answer] = bodies(said, 'KeysUploaded')
  expect(answer).toMatchObject({ operationId: 'op_1', accepted: 2, duplicates: 1, invalid: 1, stockVersion: 1 })
  expect(outcomes(answer?.report)).toEqual(['accepted', 'malformed', 'accepted', 'duplicate'])
  expect(world.countsOf('gold').available).toBe(2)
})

test('INV-3: a duplicate is found over all plans and all states', () => {
  const world = new World()
  world.round(upload('op_1', ['one', 'two']), assignKey('ada', 'op_2'))
  const said = world.round(upload('op_3', ['one', 'two', 'three'], { planId: 'iron' }))
  expect(outcomes(bodies(said, 'KeysUploaded')[0]?.report)).toEqual(['duplicate', 'duplicate', 'accepted'])
})

test('INV-3: two uploads of one key in one round: the first has it', () => {
  const said = new World().round(upload('op_1', ['one']), upload('op_2', ['one'], { planId: 'iron' }))
  expect(bodies(said, 'KeysUploaded').map(({ accepted, duplicates }) => [accepted, duplicates])).toEqual([
    [1, 0],
    [0, 1],
  ])
})

test('INV-1: all or nothing keeps nothing when a line is not accepted, a duplicate too', () => {
  const world = new World()
  world.round(upload('op_1', ['one']))
  const said = world.round(upload('op_2', ['one', 'two'], { allOrNothing: true }))
  const [refused] = bodies(said, 'UploadRefused')
  expect(refused).toMatchObject({ operationId: 'op_2', reason: 'entries_invalid' })
  expect(outcomes(refused?.report)).toEqual(['duplicate', 'accepted'])
  expect(said).toHaveLength(1)
  expect(world.countsOf('gold').available).toBe(1)
  expect(bodies(world.round(upload('op_3', ['two'], { allOrNothing: true })), 'KeysUploaded')).toHaveLength(1)
})

test('IDE-4: an upload that comes again finds its own keys and is answered the same', () => {
  const world = new World()
  const one = upload('op_1', ['one', 'two', 'one'])
  const first = world.round(one)
  const [stock, keys] = [new Map(world.stocks), new Map(world.keys)]
  const again = world.round(one)
  expect(bodies(again, 'KeysUploaded')).toEqual(bodies(first, 'KeysUploaded'))
  expect(bodies(again, 'StockChanged')).toEqual([])
  expect([world.stocks, world.keys]).toEqual([stock, keys])
})

test('AUD-1: an upload is audited with its change, and tells no key', () => {
  const said = new World().round(upload('op_1', ['sk-live-1'], { time: 5_000 }))
  const [audited] = bodies(said, 'ActionAudited')
  expect(audited).toMatchObject({ actor: 'admin-1', action: 'keys.upload', subject: 'gold', target: 'gold', at: 5_000 })
  const after = { uploadId: 'op_1', accepted: 1, duplicates: 0, invalid: 0 }
  expect(JSON.parse(audited?.after ?? '')).toEqual(after)
})

test('INV-2: an upload under an unknown sealing key is refused and keeps nothing', () => {
  const world = new World()
  const { body } = upload('op_1', ['one'])
  const unknown = message('UploadKeys', body, { prepared: { refused: 'sealing_key_unknown' } })
  const said = world.round(unknown)
  expect(bodies(said, 'UploadRefused')).toMatchObject([{ reason: 'sealing_key_unknown', report: [] }])
  expect(world.keys.size).toBe(0)
})

test('a plan keeps its provider', () => {
  const world = new World()
  world.round(upload('op_1', ['one']))
  expect(() => world.round(upload('op_2', ['two'], { providerId: 'zenith' }))).toThrow('belongs to acme')
})
