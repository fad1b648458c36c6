import { instant } from '@coding-plans/schemas'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heardAgain, tellingOf } from './terms.testing.ts'
import { assignKey, bodies, upload, World } from './world.testing.ts'

const HOUR = 3_600_000
const ada = tellingOf('ada', 'sub_op_1')
const kind = fc.constantFrom(
  'renewed',
  'extended',
  'daysGranted',
  'flagged',
  'unflagged',
  'pastDue',
  'awaited',
  'ending',
)

/** The nth thing that is told of the subscription. */
const telling = (what: typeof kind extends fc.Arbitrary<infer T> ? T : never, place: number) => {
  const version = place + 2
  if (what === 'flagged' || what === 'unflagged') return ada[what](version, place * HOUR)
  return ada[what](version, (100 + place * 10) * HOUR)
}
const served = () => {
  const world = new World()
  world.round(upload('op_up', ['one']), assignKey('ada', 'op_1', { termEndsAt: instant(100 * HOUR), graceHours: 2 }))
  return world
}
const of = (world: World) => world.entitlements.get('acme|ada')

test('SLT-4: in order, with late copies among them, or all of it again: the entitlement is what the first copies made it', () => {
  const copies = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 20 })
  fc.assert(
    fc.property(fc.array(kind, { minLength: 1, maxLength: 30 }), copies, (kinds, late) => {
      const story = kinds.map(telling)
      const plain = served()
      for (const one of story) plain.round(one)
      const world = served()
      for (const [place, one] of story.entries()) {
        world.round(one)
        // A late copy: of what was told up to here, at some later place.
        for (const [copied, when] of late) if (when === place && copied <= place) world.round(story[copied] ?? one)
      }
      for (const one of story) world.round(one)
      expect(of(world)).toEqual(of(plain))
    }),
    { numRuns: 300 },
  )
})

test('SLT-4: whatever copies a compacted topic keeps last, in the end the present one is behind them all', () => {
  fc.assert(
    fc.property(
      fc.array(kind, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(12), { maxLength: 6 }),
      (kinds, late) => {
        const world = served()
        const log = bodies(
          kinds.map(telling).flatMap((one) => world.round(one)),
          'EntitlementChanged',
        )
        for (const place of late) log.push(...log.slice(place, place + 1))
        // The inventory reads what there is, and what that makes it say, until there is no more.
        for (let read = 0; read < log.length; read += 1) {
          const heard = log[read]
          if (heard) log.push(...bodies(world.round(heardAgain(heard)), 'EntitlementChanged'))
          expect(log.length).toBeLessThan(100)
        }
        if (log.length > 0) expect(log.at(-1)?.version).toBe(of(world)?.version)
      },
    ),
    { numRuns: 300 },
  )
})
