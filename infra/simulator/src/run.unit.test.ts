import { expect, test } from 'vitest'
import { Random } from './random.ts'
import { simulate } from './run.ts'

test('a seed tells the same story every time, line by line; another seed another', async () => {
  const [first, again, other] = [
    await simulate(11, { tells: true }),
    await simulate(11, { tells: true }),
    await simulate(12, { tells: true }),
  ]
  expect(first.story.length).toBeGreaterThan(100)
  expect(again).toEqual(first)
  expect(other.story).not.toEqual(first.story)
})

test('whether the story is told changes nothing of it', async () => {
  const { story: _, ...told } = await simulate(13, { tells: true })
  expect(await simulate(13)).toEqual({ ...told, story: [] })
})

const MOST_SEEDS = 150

test('within some seeds everything happens that can: purchases, renewals, ends, deletions, deaths and dead letters', async () => {
  const happened = [
    'purchase: succeeded',
    'purchase: refused insufficient_credits',
    'purchase: refused slot_occupied',
    'purchase: refused sold_out',
    'purchase: refused already_subscribed',
    'purchase: refused prepaid_limit',
    'purchase: refused plan_closed',
    'upload_keys: refused entries_invalid',
    'publish_plan: refused',
    'set_auto_top_up: refused',
    'terminate: succeeded',
    'admin asks delete_account',
    'delete_account: succeeded',
    'decides SubscriptionExtended',
    'decides SubscriptionRenewed',
    'decides SubscriptionPastDue',
    'decides GraceEnded',
    'decides CreditsToppedUp',
    'decides TopUpDeclined',
    'decides TopUpUnanswered',
    'decides CreditsRefunded',
    'decides DaysGranted',
    'decides RevocationSettled',
    'decides KeyTested',
    'decides RestockTold',
    'decides CommandFailed',
    'is killed',
    'stands still',
    'is awake again',
    'does not hear that',
    'buries',
    'hours pass',
  ]
  const missing = new Set(happened)
  for (let seed = 1; seed <= MOST_SEEDS && missing.size > 0; seed += 1) {
    const { violation, story } = await simulate(seed, { tells: true })
    expect(violation).toBeNull()
    for (const one of missing) if (story.some((line) => line.includes(one))) missing.delete(one)
  }
  expect([...missing]).toEqual([])
}, 30_000)

test('chance is even, and the same on every machine', () => {
  const random = new Random(42)
  const counts = Array.from({ length: 6 }, () => 0)
  for (let n = 0; n < 6_000; n += 1) counts[random.below(6)] = (counts[random.below(6)] ?? 0) + 1
  for (const count of counts) expect(count).toBeGreaterThan(850)
  const few = new Random(7)
  expect(Array.from({ length: 5 }, () => few.below(1_000))).toEqual([23, 663, 693, 565, 679])
})

test('queues are merged, each in its own order', () => {
  const random = new Random(3)
  const merged = random.merge([[1, 2, 3, 4], [], [10, 20, 30]])
  expect(merged.filter((n) => n < 10)).toEqual([1, 2, 3, 4])
  expect(merged.filter((n) => n >= 10)).toEqual([10, 20, 30])
})
