import { type Microdollars, MOST_MICRODOLLARS, microdollars } from '@coding-plans/schemas'

export const PRICE_PREFIX = 'CODING_PLAN_PRICE_'

/** Prices that the environment fixes, by the variable's name (CAT-3). */
export type FixedPrices = ReadonlyMap<string, Microdollars>

export const variableOf = (planId: string) => `${PRICE_PREFIX}${planId.toUpperCase().replaceAll('-', '_')}`

/** The price that the environment fixes for this plan, while it does. */
export const fixedPriceOf = (prices: FixedPrices, planId: string) => {
  const variable = variableOf(planId)
  const price = prices.get(variable)
  return price === undefined ? undefined : { variable, price }
}

/** Digits only, whole microdollars; "0" is free. null: no price at all. */
export const readPrice = (text: string): Microdollars | null =>
  /^\d+$/.test(text) && Number(text) <= MOST_MICRODOLLARS ? microdollars(Number(text)) : null
