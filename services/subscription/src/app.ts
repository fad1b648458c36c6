import type { ServiceOptions } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { SERVICE } from './answers.ts'
import type { Books } from './books.ts'
import type { FixedPrices } from './domain/fixed-prices.ts'
import { publishFixedPrices } from './environment-prices.ts'
import { subscriptionHandler } from './handlers.ts'
import { retries } from './retries.ts'
import { countOwed, sqlStore } from './store.ts'
import { restockNotices } from './wishes.ts'

const wallClock = () => instant(Date.now())

/** The service, but for its environment. */
export const subscriptionService = (prices: FixedPrices): Omit<ServiceOptions<Books>, 'environment'> => ({
  service: SERVICE,
  handler: subscriptionHandler(prices, wallClock, sqlStore),
  work: [retries(sqlStore), restockNotices(sqlStore)],
  // A step that is to be said again is work that an advance of the clock waits for.
  due: countOwed,
  begin: (parts) => publishFixedPrices(parts, prices, wallClock()),
})
