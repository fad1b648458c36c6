import { readEnvironment, serviceEnvironment } from '@coding-plans/runtime'
import { type Microdollars, MOST_MICRODOLLARS } from '@coding-plans/schemas'
import { type FixedPrices, PRICE_PREFIX, readPrice } from './domain/fixed-prices.ts'

const price = (text: string | undefined) => {
  const value = readPrice(text ?? '')
  return value === null
    ? { complaint: `must be a price in whole microdollars, digits only, at most ${MOST_MICRODOLLARS}` }
    : { value }
}

/** Everything this service is told from outside; `CODING_PLAN_PRICE_…` fixes prices (CAT-3). @throws one Error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv) => {
  const variables = Object.keys(env).filter((name) => name.startsWith(PRICE_PREFIX))
  const fixed = Object.fromEntries(variables.map((name) => [name, price]))
  const environment = readEnvironment(env, { ...fixed, ...serviceEnvironment })
  const priceOf = (name: string) => (environment as Readonly<Record<string, unknown>>)[name] as Microdollars
  const prices: FixedPrices = new Map(variables.map((name) => [name, priceOf(name)]))
  return { environment, prices }
}
