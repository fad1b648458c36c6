import type { Message } from '@coding-plans/runtime'
import { type Bodies, type MessageName, messageNames } from '@coding-plans/schemas'
import { dueIgnored, said } from './due.ts'
import type { Facts } from './facts.ts'
import { keyAssigned, keyRemoved, keysUnlinked, keysUploaded, slotChanged, stockChanged } from './keys.ts'
import type { FactKey, Kind } from './kinds.ts'
import {
  accountDeleted,
  creditsHeld,
  creditsPosted,
  creditsRefunded,
  creditsToppedUp,
  holdCaptured,
  holdReleased,
} from './money.ts'
import { followOperation, isOfOperation } from './operations.ts'
import { isExtension, planKeyOf, planPublished, purchaseAsked, salesOf } from './prices.ts'
import { activated, ended, ending, extended, flagged, granted, renewed, unpaid } from './subscriptions.ts'
import { holdAsked, topUpAsked, topUpDeclined } from './top-ups.ts'

export { chainOf, explainingChain, type Link, MOST_LINKS } from './chain.ts'
export * from './checks.ts'
export { Facts } from './facts.ts'
export * from './kinds.ts'
export { findingsOf, passingOf } from './passing.ts'
export { type Background, mispriced, type Price, planKeyOf, priceOf } from './prices.ts'
export { type Totals, totalsOf } from './totals.ts'

type Folds = { readonly [Name in MessageName]?: (facts: Facts, message: Message<Name>) => void }

const folds: Folds = {
  CreditsHeld: creditsHeld,
  HoldReleased: holdReleased,
  HoldCaptured: holdCaptured,
  CreditsPosted: creditsPosted,
  CreditsRefunded: creditsRefunded,
  CreditsToppedUp: creditsToppedUp,
  HoldCredits: holdAsked,
  TopUpCredits: topUpAsked,
  TopUpDeclined: topUpDeclined,
  AccountDeleted: accountDeleted,

  SubscriptionActivated: activated,
  SubscriptionExtended: extended,
  SubscriptionRenewed: renewed,
  SubscriptionPastDue: unpaid('an unpaid term'),
  TopUpAwaited: unpaid('a top-up that is awaited'),
  DaysGranted: granted,
  CancellationScheduled: flagged('a cancellation'),
  CancellationUndone: flagged('the end of a cancellation'),
  SubscriptionEnding: ending,
  SubscriptionEnded: ended,

  PeriodEnded: said,
  GraceEnded: said,
  TopUpWaitEnded: said,
  DueIgnored: dueIgnored,

  KeyAssigned: keyAssigned,
  KeyRemoved: keyRemoved,
  SlotChanged: slotChanged,
  KeysUnlinked: keysUnlinked,
  KeysUploaded: keysUploaded,
  StockChanged: stockChanged,

  PlanPublished: planPublished,
  PurchasePlan: purchaseAsked,
}

/**
 * Not looked at: sealed uploads, of which KeysUploaded tells all, and the compacted topics, which forget;
 * what is asked of dead letters is the runtime’s.
 */
const UNHEARD: ReadonlySet<string> = new Set([
  'UploadKeys',
  'EntitlementChanged',
  'InvariantsChecked',
  'RedriveDeadLetter',
  'RehearseDeadLetter',
])

/** All that is folded, or at least known by its place. */
export const heardNames = messageNames.filter((name) => !UNHEARD.has(name))

type Named = Partial<Record<'subscriptionId' | 'keyId' | 'planId' | 'entryId', string | null>>
const byField: readonly (readonly [keyof Named, Kind])[] = [
  ['subscriptionId', 'subscription'],
  ['keyId', 'key'],
  ['planId', 'stock'],
  ['entryId', 'entry'],
]

type Sold = Bodies['SubscriptionActivated'] | Bodies['SubscriptionExtended']
const soldBy = ({ key, lane }: Pick<Message, 'key' | 'lane'>, body: Sold): FactKey[] => [
  { kind: 'subject', id: key },
  { kind: 'lane', id: String(lane) },
  { kind: 'subscription', id: body.subscriptionId },
  ...salesOf(body),
]

/** Of what these name little is asked for, and no more is to be locked. */
const fewer: { readonly [Name in MessageName]?: (message: Message<Name>) => FactKey[] } = {
  HoldCredits: ({ key, body, correlationId }) =>
    body.purpose === 'renewal'
      ? [
          { kind: 'subject', id: key },
          { kind: 'renewal', id: correlationId },
        ]
      : [],
  PlanPublished: ({ body }) => [{ kind: 'plan', id: planKeyOf(body) }],
  SubscriptionActivated: (message) => soldBy(message, message.body),
  SubscriptionExtended: (message) => soldBy(message, message.body),
  PurchasePlan: (message) => (isExtension(message) ? [{ kind: 'extension', id: message.body.operationId }] : []),
}

/** What folding this message may ask for, and no more (`Facts.within`). */
export const factsOf = (message: Message): FactKey[] => {
  const { name, body, key, lane } = message
  const subject: FactKey = { kind: 'subject', id: key }
  const few = fewer[name] as ((message: Message) => FactKey[]) | undefined
  if (few || !folds[name]) return [...(isOfOperation(message) ? [subject] : []), ...(few?.(message) ?? [])]
  const named = body as Named
  const keys: FactKey[] = [subject, { kind: 'lane', id: String(lane) }]
  for (const [field, kind] of byField) {
    const id = named[field]
    if (typeof id === 'string') keys.push({ kind, id })
  }
  if (name === 'KeysUploaded') keys.push({ kind: 'upload', id: (body as Bodies['KeysUploaded']).operationId })
  if (name === 'StockChanged')
    for (const { keyId } of (body as Bodies['StockChanged']).keys) keys.push({ kind: 'stockKey', id: keyId })
  return keys
}

/** One message more. */
export const fold = (facts: Facts, message: Message) =>
  facts.within(factsOf(message), () => {
    const one = folds[message.name] as ((facts: Facts, message: Message) => void) | undefined
    one?.(facts, message)
    followOperation(facts, message)
  })
