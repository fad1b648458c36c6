import {
  extendingAtCopiedPrice,
  forgettingReleases,
  keepingLateKeys,
  leavingKeys,
  lookingAway,
  monthlyKey,
  overwritingSlots,
  type Rooms,
  relyingOnSeenIds,
  restartingGrace,
  returningKeys,
  sellingKeysAgain,
  staleBalance,
  tryingOnce,
} from './mistakes.ts'
import type { Random } from './random.ts'
import type { RuntimeBugs } from './surroundings.ts'

export type { Rooms } from './mistakes.ts'

/** A mistake in words, and the violation that it must be found by: an invariant, a rule, or the constraint that says the same. */
export interface Planted {
  readonly mistake: string
  readonly breaks: RegExp
}

/**
 * Mistakes that were made in systems of this kind, or nearly in this one. Each is planted into the services' own code from
 * outside; the simulator must find it.
 */
export const bugs = {
  'check-outside-the-lock': {
    mistake: 'a process that lost its lanes commits what it had judged before',
    breaks: /it does not come to rest/,
  },
  'stale-balance': {
    mistake: 'of two plans one after the other each is judged by the balance before both',
    breaks: /transfers_floor/,
  },
  'month-based-renewal-key': {
    mistake: 'a term is charged once a month, whatever its length',
    breaks: /holds_charge_a_term_once/,
  },
  'release-forgotten': {
    mistake: 'a purchase that fails after its hold does not give it back',
    breaks: /12: /,
  },
  'slot-overwritten': {
    mistake: 'a plan’s key goes into a slot without looking what is in it',
    breaks: /^8: /,
  },
  'publish-before-commit': {
    mistake: 'what a round says is sent before it is kept',
    breaks: /^(3|7|14): |told_is_there/,
  },
  'seen-ids-off': {
    mistake: 'a second copy is decided as if it were the first: the ledger relies on seen ids, and they are gone',
    breaks: /transfers refuses a row: it has one of this key/,
  },
  'top-up-marker-kept': {
    mistake: 'what was tried for one term counts for the next',
    breaks: /^10: /,
  },
  'key-returned-to-stock': {
    mistake: 'a key whose access has ended is sold again',
    breaks: /^4: /,
  },
  'key-sold-to-its-user-again': {
    mistake: 'who buys again gets the key of the last time, as long as it is not revoked',
    breaks: /^4: /,
  },
  'grace-from-now': {
    mistake: 'each new attempt at an unpaid term starts its grace anew',
    breaks: /^REN-6: /,
  },
  'extension-at-another-price': {
    mistake: 'an extension is charged at the price that was copied at the purchase',
    breaks: /^CAT-5: /,
  },
  'sold-out-too-soon': {
    mistake: 'a round looks away from the last key of a stock',
    breaks: /^INV-5: /,
  },
  'late-assignment-kept': {
    mistake: 'a key that is assigned to a purchase given up meanwhile is not taken back',
    breaks: /^7: /,
  },
  'key-left-in-the-slot': {
    mistake: 'at the end of access the slot keeps the key',
    breaks: /^7: /,
  },
} as const satisfies Record<string, Planted>
export type Bug = keyof typeof bugs

export const isBug = (name: string): name is Bug => Object.hasOwn(bugs, name)

/** Mistakes of the runtime. */
export const runtimeBugsOf = (bug: Bug | null): RuntimeBugs => ({
  forgetsSeen: bug === 'seen-ids-off',
  publishesBeforeItCommits: bug === 'publish-before-commit',
  ignoresEpochs: bug === 'check-outside-the-lock',
})

/** The rooms, with this mistake in them. */
export const plant = (bug: Bug | null, random: Random, rooms: Rooms): Rooms => {
  const { subscription, ledger, inventory } = rooms
  switch (bug) {
    case 'stale-balance':
      return { ...rooms, ledger: staleBalance(ledger) }
    case 'month-based-renewal-key':
      return { ...rooms, ledger: monthlyKey(ledger) }
    case 'seen-ids-off':
      return { ...rooms, ledger: relyingOnSeenIds(ledger) }
    case 'release-forgotten':
      return { ...rooms, subscription: forgettingReleases(subscription) }
    case 'top-up-marker-kept':
      return { ...rooms, subscription: tryingOnce(subscription) }
    case 'grace-from-now':
      return { ...rooms, subscription: restartingGrace(subscription) }
    case 'extension-at-another-price':
      return { ...rooms, subscription: extendingAtCopiedPrice(subscription) }
    case 'late-assignment-kept':
      return { ...rooms, subscription: keepingLateKeys(subscription) }
    case 'slot-overwritten':
      return { ...rooms, inventory: overwritingSlots(inventory) }
    case 'key-returned-to-stock':
      return { ...rooms, inventory: returningKeys(inventory) }
    case 'key-sold-to-its-user-again':
      return { ...rooms, inventory: sellingKeysAgain(inventory) }
    case 'sold-out-too-soon':
      return { ...rooms, inventory: lookingAway(inventory, random) }
    case 'key-left-in-the-slot':
      return { ...rooms, inventory: leavingKeys(inventory) }
    default:
      return rooms
  }
}
