import type { Message, Saying } from '@coding-plans/runtime'
import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { heardAgain, tellingOf } from './terms.testing.ts'
import {
  assignKey,
  bodies,
  deleteOwnKey,
  enableOwnKey,
  putOwnKey,
  removeKey,
  unlinkKeys,
  upload,
  World,
} from './world.testing.ts'

const HOUR = 3_600_000
const END = 100 * HOUR
const ada = tellingOf('ada', 'sub_op_1')

/** Ada has a plan's key until hour 100, with two hours of grace. */
const served = () => {
  const world = new World()
  world.round(upload('op_up', ['one', 'two', 'three']))
  const said = world.round(assignKey('ada', 'op_1', { termEndsAt: instant(END), graceHours: 2 }))
  return { world, said }
}
const told = (said: readonly Saying[]) => bodies(said, 'EntitlementChanged')
const untilAfter = (world: World, ...messages: Message[]) => told(world.round(...messages)).at(-1)?.validUntil
const of = (world: World) => world.entitlements.get('acme|ada')

test("SLT-4: a plan's key is told with the assignment, before its answer: by whom, which, and until when", () => {
  const { said } = served()
  expect(said.map(({ name }) => name)).toEqual(['EntitlementChanged', 'KeyAssigned', 'StockChanged'])
  const whose = { userId: 'ada', providerId: 'acme', managedBy: 'plan', subscriptionId: 'sub_op_1' }
  expect(told(said)).toEqual([
    { ...whose, keyReference: 'op_up/1', enabled: true, validUntil: END + 2 * HOUR, version: 1 },
  ])
})

test("SLT-4: a user's own key is told without an end, each change under a higher version; deleted, as none", () => {
  const world = new World()
  const said = world.round(
    putOwnKey('ada', 'op_1', 'mine'),
    putOwnKey('ada', 'op_2', 'other'),
    enableOwnKey('ada', 'op_3', false),
    deleteOwnKey('ada', 'op_4'),
  )
  const own = { managedBy: 'user', keyReference: 'slot:ada|acme', subscriptionId: null, validUntil: null }
  expect(told(said)).toMatchObject([
    { ...own, enabled: true, version: 1 },
    { ...own, enabled: true, version: 2 },
    { ...own, enabled: false, version: 3 },
    { managedBy: 'none', keyReference: null, enabled: false, validUntil: null, version: 4 },
  ])
  expect(JSON.stringify(told(said))).not.toMatch(/mine|other/)
})

test('SLT-4: what is refused or comes again tells nothing', () => {
  const { world } = served()
  const again = [assignKey('ada', 'op_1'), putOwnKey('ada', 'op_2', 'mine'), deleteOwnKey('ada', 'op_3')]
  expect(told(world.round(...again))).toEqual([])
  world.round(removeKey('ada', 'sub_op_1'))
  expect(told(world.round(removeKey('ada', 'sub_op_1')))).toEqual([])
})

test('CAN-3: the key removed, the entitlement is withdrawn, and that is said before the removal', () => {
  const { world } = served()
  const said = world.round(ada.ending(2, 50 * HOUR), removeKey('ada', 'sub_op_1'))
  expect(said.map(({ name }) => name).slice(0, 3)).toEqual(['EntitlementChanged', 'EntitlementChanged', 'KeyRemoved'])
  expect(told(said)).toMatchObject([
    { validUntil: 50 * HOUR, version: 2 },
    { managedBy: 'none', keyReference: null, subscriptionId: null, validUntil: null, version: 3 },
  ])
})

test('SLT-4: it follows the subscription: renewed, flagged, resumed, extended, given days, unpaid, ending', () => {
  const { world } = served()
  expect(untilAfter(world, ada.renewed(2, 200 * HOUR))).toBe(202 * HOUR)
  expect(untilAfter(world, ada.flagged(3))).toBe(200 * HOUR)
  expect(untilAfter(world, ada.unflagged(4))).toBe(202 * HOUR)
  expect(untilAfter(world, ada.extended(5, 300 * HOUR))).toBe(302 * HOUR)
  expect(untilAfter(world, ada.daysGranted(6, 324 * HOUR, true))).toBe(324 * HOUR)
  expect(untilAfter(world, ada.unflagged(7))).toBe(326 * HOUR)
  expect(untilAfter(world, ada.awaited(8, 340 * HOUR))).toBe(340 * HOUR)
  expect(untilAfter(world, ada.pastDue(9, 330 * HOUR))).toBe(330 * HOUR)
  expect(untilAfter(world, ada.ending(10, 330 * HOUR + 1))).toBe(330 * HOUR + 1)
  expect(of(world)).toMatchObject({ version: 10, term: { version: 10 } })
})

test('SLT-4: what changes nothing for readers is learnt and not told', () => {
  const { world } = served()
  expect(told(world.round(ada.activated(1, END, 2)))).toEqual([])
  expect(of(world)).toMatchObject({ version: 1, term: { version: 1 } })
  expect(told(world.round(ada.pastDue(2, END + 2 * HOUR)))).toEqual([])
})

test('SLT-4: a sender that does not tell the end with the assignment tells it with the activation', () => {
  const world = new World()
  world.round(upload('op_up', ['one']))
  const said = world.round(assignKey('ada', 'op_1', { time: 1_000 }), ada.activated(1, END, 3))
  expect(told(said).map(({ validUntil }) => validUntil)).toEqual([1_000 + HOUR, END + 3 * HOUR])
})

test('SLT-4: by version, never backwards: late copies, and all of it from the beginning, change nothing', () => {
  const { world } = served()
  const story = [ada.activated(1, END, 2), ada.flagged(2), ada.unflagged(3), ada.renewed(4, 200 * HOUR), ada.flagged(5)]
  world.round(...story)
  const before = of(world)
  expect(told(world.round(...story, ada.flagged(2), ada.renewed(4, 200 * HOUR)))).toEqual([])
  expect(of(world)).toBe(before)
})

test('SLT-4: of a subscription whose key is in no slot, or no longer, nothing is told', () => {
  const { world } = served()
  world.round(removeKey('ada', 'sub_op_1'), putOwnKey('ada', 'op_2', 'mine'))
  const late = [ada.renewed(7, 900 * HOUR), ada.ending(8, 50 * HOUR), tellingOf('bob', 'sub_x').flagged(2)]
  expect(told(world.round(...late))).toEqual([])
  expect(of(world)).toMatchObject({ managedBy: 'user', term: null, version: 3 })
  // Another's event of this subscription is nobody's.
  expect(told(world.round(tellingOf('eve', 'sub_op_1').renewed(9, 900 * HOUR)))).toEqual([])
})

test('REA-1: the next subscription in the slot begins with its own term, whatever the last one was told', () => {
  const { world } = served()
  world.round(ada.renewed(40, 200 * HOUR), removeKey('ada', 'sub_op_1'))
  world.round(assignKey('ada', 'op_9', { termEndsAt: instant(500 * HOUR) }))
  expect(of(world)).toMatchObject({ version: 4, term: { subscriptionId: 'sub_op_9', version: 0 } })
  expect(untilAfter(world, tellingOf('ada', 'sub_op_9').flagged(2))).toBe(500 * HOUR)
})

test('GDP-1: deletion withdraws everything at once, before its answer; what comes later tells nothing', () => {
  const { world } = served()
  const said = world.round(unlinkKeys('ada'))
  expect(said.map(({ name }) => name).slice(0, 2)).toEqual(['EntitlementChanged', 'KeysUnlinked'])
  expect(told(said)).toMatchObject([{ userId: 'ada', managedBy: 'none', keyReference: null, version: 2 }])
  const late = [ada.renewed(9, 900 * HOUR), assignKey('ada', 'op_1'), putOwnKey('ada', 'op_7', 'x'), unlinkKeys('ada')]
  expect(told(world.round(...late))).toEqual([])
})

test('SLT-4: an older one of ours that comes last is followed by the present one, once a round and unchanged', () => {
  const { world, said } = served()
  const [first] = told(said)
  const [second] = told(world.round(ada.flagged(2)))
  if (!first || !second) throw new Error('Two were told.')
  // Lagging behind what we say is no reason: the present one is behind it.
  expect(told(world.round(heardAgain(first)))).toEqual([])
  expect(told(world.round(heardAgain(second), heardAgain(first), heardAgain(first)))).toEqual([second])
  // What was said again comes back, and that is the end of it.
  expect(told(world.round(heardAgain(second)))).toEqual([])
  expect(of(world)?.version).toBe(2)
})

test('SLT-4: a newer one in the same round is behind the older one already', () => {
  const { world, said } = served()
  const [first] = told(said)
  if (!first) throw new Error('One was told.')
  world.round(ada.flagged(2))
  expect(told(world.round(ada.unflagged(3), heardAgain(first)))).toMatchObject([{ version: 3 }])
})

test('GDP-1: an older one of a deleted user is followed by none', () => {
  const { world, said } = served()
  const [first] = told(said)
  if (!first) throw new Error('One was told.')
  const [none] = told(world.round(unlinkKeys('ada')))
  if (!none) throw new Error('None was told.')
  expect(told(world.round(heardAgain(first), heardAgain(none)))).toEqual([])
  expect(told(world.round(heardAgain(first)))).toEqual([none])
})

test('SLT-4: there is one writer; a version that is not ours is nonsense', () => {
  const { world, said } = served()
  const [first] = told(said)
  if (!first) throw new Error('One was told.')
  expect(() => world.round(heardAgain({ ...first, version: 2 }))).toThrow('is not ours')
  expect(() => world.round(heardAgain({ ...first, userId: userId('bob') }))).toThrow('is not ours')
})
