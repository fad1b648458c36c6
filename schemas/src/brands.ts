declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Whole microdollars; 1,000,000 = 1 credit = 1 USD. */
export type Microdollars = Brand<number, 'Microdollars'>
/** A UTC instant in epoch milliseconds. */
export type Instant = Brand<number, 'Instant'>
/** The opaque id of a user, as the token says it. */
export type UserId = Brand<string, 'UserId'>

/**
 * The most that a message can carry of money, 4.5 billion USD. avsc writes a negative long as -2n-1 in doubles: below -2^52
 * that is not exact, and is read as a positive number.
 */
export const MOST_MICRODOLLARS = 2 ** 52 - 1

/** The only door by which a number becomes money. @throws RangeError if it is not whole, or more than can be carried. */
export const microdollars = (amount: number): Microdollars => {
  if (!Number.isSafeInteger(amount) || Math.abs(amount) > MOST_MICRODOLLARS)
    throw new RangeError(`${amount} is not a whole number of microdollars that can be carried.`)
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
