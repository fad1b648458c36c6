import type { Message } from '@coding-plans/runtime'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import type { Step } from '../rows.ts'

type Told = { readonly [Name in MessageName]?: readonly [place: number, detail: (body: Bodies[Name]) => string | null] }

const END = 9
const nothing = () => null
const reason = ({ reason }: { reason: string }) => reason

/** The steps that are shown: their place in the order of cause, and what is said of them. Never a secret. */
const told: Told = {
  SubscriptionEnding: [0, reason],
  CreditsHeld: [1, nothing],
  HoldDeclined: [1, reason],
  KeyAssigned: [2, ({ maskedKey }) => maskedKey],
  KeyDeclined: [2, reason],
  KeyRemoved: [2, nothing],
  HoldCaptured: [3, ({ description }) => description],
  HoldReleased: [3, nothing],
  CreditsRefunded: [3, ({ description }) => description],
  AccountDeletionBegun: [0, nothing],
  KeysUnlinked: [2, ({ keys }) => `${keys} keys`],
  AccountClosed: [3, nothing],
  SubscriptionActivated: [END, ({ planName }) => planName],
  SubscriptionExtended: [END, nothing],
  CancellationScheduled: [END, nothing],
  CancellationUndone: [END, nothing],
  SubscriptionEnded: [END, reason],
  PurchaseRefused: [END, reason],
  CancellationRefused: [END, reason],
  SubscriptionChangeRefused: [END, reason],
  DaysGranted: [END, ({ days }) => `${days} days`],
  RestockWished: [END, nothing],
  RestockWishWithdrawn: [END, nothing],
  RestockWishRefused: [END, reason],
  AccountDeleted: [END, nothing],
  AutoTopUpSet: [END, ({ enabled }) => (enabled ? 'on' : 'off')],
  AutoTopUpRefused: [END, reason],
  CreditsRefused: [END, reason],
  RevocationSettled: [END, ({ outcome }) => outcome],
  RevocationRefused: [END, reason],
  BillingTicked: [END, nothing],
  PlanPublished: [END, ({ version }) => `version ${version}`],
  PlanRefused: [END, reason],
  CreditsPosted: [END, ({ creditKind }) => creditKind],
  KeysUploaded: [END, ({ accepted }) => `${accepted} accepted`],
  UploadRefused: [END, reason],
  SlotChanged: [END, nothing],
  SlotChangeRefused: [END, reason],
  KeyTested: [END, nothing],
  EntryExplained: [END, nothing],
  EntryUnexplained: [END, reason],
  ClockMoved: [1, nothing],
  ClockAdvanced: [END, nothing],
  ClockRefused: [END, reason],
  DeadLetterRedriven: [END, nothing],
  DeadLetterRefused: [END, reason],
  DeadLetterRehearsed: [END, ({ succeeds }) => (succeeds ? 'it would succeed' : 'it would die again')],
  CommandFailed: [END, ({ messageName }) => messageName],
}

/** What is shown of a message on an operation's way; null: nothing. */
export const stepOf = ({ id, name, source, time, body }: Message): Step | null => {
  const entry = told[name] as readonly [number, (body: unknown) => string | null] | undefined
  return entry ? { id, name, service: source, at: time, detail: entry[1](body) } : null
}

const placeOf = ({ name }: Step) => told[name as MessageName]?.[0] ?? END

/**
 * The steps to show, in the order of cause: several topics bring them, and an outcome may arrive before what led to it.
 * While the outcome cannot be read elsewhere, the step that tells it is held back.
 */
export const stepsToShow = ({ steps, visible }: { steps: readonly Step[]; visible: boolean }): Step[] =>
  steps.filter((step) => visible || placeOf(step) < END).toSorted((a, b) => placeOf(a) - placeOf(b))
