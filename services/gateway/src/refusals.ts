import type {
  AutoTopUpRefused,
  CancellationRefused,
  ClockRefused,
  CreditsRefused,
  DeadLetterRefused,
  EntryUnexplained,
  PlanRefused,
  PurchaseRefused,
  RestockWishRefused,
  RevocationRefused,
  SlotChangeRefused,
  SubscriptionChangeRefused,
  UploadRefused,
} from '@coding-plans/schemas'
import { accountDeleted, type Problem, problem } from './problem.ts'

/** Every refusal with the symbols its event may carry. A new symbol stops the compiler until its status is decided here. */
interface Reasons {
  PurchaseRefused: PurchaseRefused['reason']
  SlotChangeRefused: SlotChangeRefused['reason']
  CancellationRefused: CancellationRefused['reason']
  SubscriptionChangeRefused: SubscriptionChangeRefused['reason']
  RestockWishRefused: RestockWishRefused['reason']
  CreditsRefused: CreditsRefused['reason']
  AutoTopUpRefused: AutoTopUpRefused['reason']
  RevocationRefused: RevocationRefused['reason']
  PlanRefused: PlanRefused['reason']
  UploadRefused: UploadRefused['reason']
  ClockRefused: ClockRefused['reason']
  DeadLetterRefused: DeadLetterRefused['reason']
  EntryUnexplained: EntryUnexplained['reason']
}

type Sentence = readonly [status: number, code: string, title: string, detail: string]
const sentenceOf = ({ status, code, title, detail }: Problem): Sentence => [status, code, title, detail]

/** A reason that no reader of this version knows; or one that is ours to mend, not the caller's. */
const internal: Sentence = [500, 'internal', 'Something went wrong', 'The request could not be carried out.']
const noPlan: Sentence = [404, 'not_found', 'Not found', 'There is no such plan.']

const noSubscription: Sentence = [404, 'not_found', 'Not found', 'There is no such subscription.']
const planClosed: Sentence = [409, 'plan_closed', 'The plan is closed', 'This plan is not sold at the moment.']
const deleted = sentenceOf(accountDeleted())
const isOver: Sentence = [409, 'not_cancelable', 'Not cancelable', 'The subscription has ended, or is being ended.']

/** The auditor has not heard everything yet of which an entry comes. */
const askLater: Sentence = [
  503,
  'unavailable',
  'Not available at the moment',
  'This is still being looked up; try again.',
]

/** The inventory has another key by now: the gateway seals anew, once, before it says so. */
const sealAnew: Sentence = [503, 'unavailable', 'Not available at the moment', 'Nothing was kept; try again.']

export const refusals: { readonly [Event in keyof Reasons]: Readonly<Record<Reasons[Event], Sentence>> } = {
  EntryUnexplained: { unknown: internal, behind: askLater },
  PurchaseRefused: {
    unknown: internal,
    not_found: noPlan,
    user_deleted: deleted,
    plan_closed: planClosed,
    purchase_in_progress: [
      409,
      'purchase_in_progress',
      'A purchase is under way',
      'Another change of your subscription with this provider is under way; look again, then decide.',
    ],
    already_subscribed: [
      409,
      'already_subscribed',
      'Already subscribed',
      'You have a live subscription with this provider.',
    ],
    prepaid_limit: [409, 'prepaid_limit', 'Paid far enough ahead', 'No more periods of this plan can be paid ahead.'],
    insufficient_credits: [
      402,
      'insufficient_credits',
      'Not enough credits',
      'Your available credits do not cover the price.',
    ],
    slot_occupied: [
      409,
      'slot_occupied',
      'The slot is occupied',
      'A key of your own is in the slot of this provider; remove it first.',
    ],
    sold_out: [409, 'sold_out', 'Sold out', 'There is no key left for this plan.'],
  },
  SlotChangeRefused: {
    unknown: internal,
    slot_managed: [409, 'slot_managed', 'The slot is managed by a plan', 'Its key belongs to a subscription.'],
    not_found: [404, 'not_found', 'Not found', 'The slot is empty.'],
    key_invalid: [400, 'invalid_request', 'The request is not valid', 'The key must have 1 to 500 characters.'],
    sealing_key_unknown: sealAnew,
    user_deleted: deleted,
  },
  CancellationRefused: { unknown: internal, not_found: noSubscription, not_cancelable: isOver, user_deleted: deleted },
  SubscriptionChangeRefused: {
    unknown: internal,
    not_found: noSubscription,
    not_cancelable: isOver,
    user_deleted: deleted,
  },
  RestockWishRefused: {
    unknown: internal,
    not_found: noPlan,
    plan_available: [409, 'plan_available', 'The plan can be bought', 'There is nothing to wait for.'],
    plan_closed: planClosed,
    user_deleted: deleted,
  },
  CreditsRefused: {
    unknown: internal,
    user_deleted: deleted,
    too_much: [400, 'invalid_request', 'More than can be kept', 'No account can carry so many credits.'],
  },
  AutoTopUpRefused: {
    unknown: internal,
    incomplete: [
      400,
      'invalid_request',
      'The request is not valid',
      'To switch it on, an amount and a payment method are needed, given now or before.',
    ],
    method_not_yours: [400, 'invalid_request', 'The request is not valid', 'The payment method is not yours.'],
    user_deleted: deleted,
  },
  RevocationRefused: {
    unknown: internal,
    not_found: [404, 'not_found', 'Not found', 'There is no such key.'],
    revocation_state: [
      409,
      'revocation_state',
      'Not in that state',
      'From the state of this key’s revocation that does not follow.',
    ],
  },
  PlanRefused: {
    unknown: internal,
    price_fixed: [400, 'invalid_request', 'The price is fixed', 'The environment fixes the price of this plan.'],
    provider_fixed: [
      400,
      'invalid_request',
      'The provider is fixed',
      'The provider of a plan cannot change once it is published.',
    ],
  },
  UploadRefused: {
    unknown: internal,
    entries_invalid: [
      422,
      'entries_invalid',
      'Some entries cannot be taken',
      'Nothing was kept, as all or nothing was asked for.',
    ],
    sealing_key_unknown: sealAnew,
  },
  ClockRefused: {
    unknown: internal,
    backwards: [400, 'invalid_request', 'The clock does not move backwards', 'The target lies before the present.'],
    clock_not_test: [409, 'clock_not_test', 'Not a test clock', 'A system clock cannot be moved by hand.'],
    duration_invalid: [400, 'invalid_request', 'The request is not valid', 'The duration is not ISO 8601.'],
  },
  DeadLetterRefused: {
    unknown: internal,
    not_found: [404, 'not_found', 'Not found', 'Its service does not keep this dead letter any more.'],
    redrive_limit: [
      409,
      'redrive_limit',
      'Redriven often enough',
      'It died again each time: what it dies of is not mended by sending it once more.',
    ],
    redrive_under_way: [409, 'redrive_under_way', 'A redrive is under way', 'Its copy has not been handled yet.'],
  },
}

export type RefusalEvent = keyof Reasons

/** What a refusal may become: each status with its code. */
export const statusesOf = (event: RefusalEvent) =>
  Object.values<Sentence>(refusals[event]).map(([status, code]) => [status, code] as const)

/** The problem that a refusal becomes. `fields` are those the contract names for it. */
export const refusalOf = <Event extends keyof Reasons>(
  event: Event,
  reason: Reasons[Event],
  fields: Record<string, unknown> = {},
): Problem => {
  const [status, code, title, detail] = refusals[event][reason]
  return { ...fields, type: `urn:coding-plans:problem:${code}`, title, status, detail, code }
}

/** What an operation that failed answers: nothing of the inside. */
export const failure = (): Problem => problem('internal', 'The request could not be carried out; nothing was kept.')
