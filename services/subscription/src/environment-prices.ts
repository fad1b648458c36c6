import type { Parts } from '@coding-plans/runtime'
import { inTransaction } from '@coding-plans/runtime'
import { type Instant, instant } from '@coding-plans/schemas'
import { sayPublished } from './catalogue.ts'
import { type FixedPrices, fixedPriceOf } from './domain/fixed-prices.ts'
import type { PlanVersion } from './domain/plan.ts'
import { findReached, lockCatalogue, saveVersions } from './store.ts'

const PUBLISHER = 'environment'

/** The version that a fixed price asks for; none where the price is that one already. */
const repriced = (prices: FixedPrices, current: PlanVersion, now: Instant): PlanVersion[] => {
  const fixed = fixedPriceOf(prices, current.planId)
  if (!fixed || fixed.price === current.price) return []
  const publishedAt = instant(Math.max(now, current.publishedAt))
  const { price } = fixed
  return [{ ...current, price, version: current.version + 1, operationId: null, publishedBy: PUBLISHER, publishedAt }]
}

/**
 * At start, stored plans whose price the environment fixes otherwise get a new version (CAT-3). Under the plans' locks: of
 * several instances one publishes, the others find it done. A test clock stands where the users' messages have reached.
 */
export const publishFixedPrices = async (
  { knex, worker, environment }: Parts,
  prices: FixedPrices,
  wallClock: Instant,
) => {
  if (prices.size === 0) return
  const publish = await inTransaction(knex, async (tx) => {
    const catalogue = await lockCatalogue(tx)
    const now = environment.CLOCK === 'system' ? wallClock : instant(await findReached(tx))
    const said = catalogue.flatMap((current) =>
      repriced(prices, current, now).map((next) => ({ next, said: sayPublished(current, next) })),
    )
    await saveVersions(
      tx,
      said.map(({ next }) => next),
    )
    const sayings = said.flatMap(({ next, said }) =>
      said.map((saying) => ({
        ...saying,
        time: next.publishedAt,
        cause: `${PUBLISHER}|${next.planId}|${next.version}`,
      })),
    )
    return worker.append(tx, sayings, now)
  })
  publish()
}
