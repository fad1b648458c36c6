/** Every check by its name, with what it holds (requirements.md section 5, in its order). */
export const checks = {
  available_never_negative: 'No hold or charge made available negative; only an adjustment can.',
  postings_add_up: 'Every posting follows from the one before it; balances are sums of entries.',
  charge_has_its_term: 'No charge without its term, no paid term without its charge.',
  key_has_one_user: 'A key has, for its life, at most one user and one subscription.',
  one_live_subscription: 'One live subscription per user and provider.',
  one_key_per_slot: 'One key per slot.',
  access_follows_subscription: 'Live: the key is in the slot. Ended: none is.',
  own_key_untouched: 'A user’s own key is never changed by plan code.',
  term_charged_once: 'Each due term is charged at most once.',
  one_top_up_per_term: 'One top-up attempt per subscription and term.',
  keys_add_up: 'Uploaded keys are the sum of all states.',
  nothing_hangs: 'No open hold, running operation, unanswered due term or end under way older than 30 s.',
  ended_stays_ended: 'Ended never comes back.',
  told_is_there: 'What was said is what the services’ databases hold: nobody’s purchase is missing.',
} as const

export type Check = keyof typeof checks
export const checkNames = Object.keys(checks) as Check[]

/** Something that is not as it must be. */
export interface Finding {
  readonly check: Check
  /** A sentence that names what and whose; never a secret. */
  readonly detail: string
}

/** Something that may be so for a moment, while messages are on their way, and must not stay so. */
export interface Passing extends Finding {
  /** What tells it apart from others of the same row. */
  readonly about: string
}
