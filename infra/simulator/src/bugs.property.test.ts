import { expect, test } from 'vitest'
import { type Bug, bugs, type Planted } from './bugs.ts'
import { simulate } from './run.ts'

const MOST_SEEDS = 500
const MINUTES = 60_000

/** The first seed by which it is found, and by what. */
const findWith = async (bug: Bug) => {
  for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
    const { violation } = await simulate(seed, { bug })
    if (violation) return { seed, violation }
  }
  return null
}

test('IDE-4: with the seen ids gone fifty stories find nothing, whatever comes twice', async () => {
  for (let seed = 1; seed <= 50; seed += 1)
    expect(await simulate(seed, { forgets: true })).toMatchObject({ violation: null })
})

const planted = (Object.entries(bugs) as [Bug, Planted][]).map(([bug, about]) => ({ bug, ...about }))

test.each(planted)(
  '$bug is found within 500 seeds, by what it breaks: $mistake',
  async ({ bug, breaks }) => {
    const found = await findWith(bug)
    expect(found?.violation).toMatch(breaks)
    // The very seed finds nothing where the mistake is not.
    expect(await simulate(found?.seed ?? 0)).toMatchObject({ violation: null })
  },
  3 * MINUTES,
)
