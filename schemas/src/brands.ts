declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Whole microdollars; 1,000,000 = 1 credit = 1 USD. */
export type Microdollars = Brand<number, 'Microdollars'>
/** A UTC instant in epoch milliseconds. */
export type Instant = Brand<number, 'Instant'>
/** The opaque id of a user, as the token says it. */
export type UserId = Brand<string, 'UserId'>

/** The only door by which a number becomes money. @throws RangeError if it is no safe integer. */
export const microdollars = (amount: number): Microdollars => {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} is not a whole number of microdollars.`)
  return amount as Microdollars
}

/** The only door by which a number becomes an instant. @throws RangeError if it is no safe integer. */
export const instant = (epochMilliseconds: number): Instant => {
  if (!Number.isSafeInteger(epochMilliseconds)) throw new RangeError(`${epochMilliseconds} is not an instant.`)
  return epochMilliseconds as Instant
}

export const userId = (id: string): UserId => {
  if (id === '') throw new RangeError('A user id is not empty.')
  return id as UserId
}
