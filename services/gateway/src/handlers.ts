import type { Decide, Handler, Message } from '@coding-plans/runtime'
import type { MessageName } from '@coding-plans/schemas'
import {
  autoTopUpRefused,
  autoTopUpSet,
  creditsHeld,
  creditsPosted,
  creditsRefunded,
  creditsRefused,
  creditsToppedUp,
  holdCaptured,
  holdReleased,
  topUpDeclined,
} from './projections/accounts.ts'
import { entryExplained, entryUnexplained, invariantsChecked } from './projections/audits.ts'
import {
  audited,
  billingTicked,
  clockAdvanced,
  clockMoved,
  clockRefused,
  planPublished,
  planRefused,
} from './projections/catalogue.ts'
import { letterKept, letterRedriven, letterRefused, letterRehearsed } from './projections/dead-letters.ts'
import { accountDeleted, deletionBegun } from './projections/deletions.ts'
import {
  cancellationRefused,
  cancellationScheduled,
  cancellationUndone,
  changeRefused,
  ended,
  ending,
} from './projections/endings.ts'
import {
  keyAssigned,
  keyRemoved,
  keysUploaded,
  keyTested,
  revocationRefused,
  revocationSettled,
  slotChanged,
  slotChangeRefused,
  stockChanged,
  uploadRefused,
} from './projections/inventory.ts'
import type { ReadModels } from './projections/models.ts'
import { endForgotten, fail, noteStep } from './projections/operations.ts'
import { activated, extended, purchaseRefused } from './projections/purchases.ts'
import { daysGranted, pastDue, renewed, renewingSoon, topUpAwaited } from './projections/terms.ts'
import { restockTold, restockWished, restockWishRefused, restockWishWithdrawn } from './projections/wishes.ts'

type Projection<Name extends MessageName> = (models: ReadModels, message: Message<Name>) => void

/** The gateway says nothing: it learns, and notes each step on its operation's way. */
const learn =
  <Name extends MessageName>(project: Projection<Name>) =>
  (models: ReadModels, message: Message<Name>) => {
    project(models, message)
    endForgotten(models, message as Message)
    noteStep(models, message as Message)
    return []
  }

const onlyAStep = () => {}

export const decide: Decide<ReadModels> = {
  PlanPublished: learn<'PlanPublished'>(planPublished),
  PlanRefused: learn<'PlanRefused'>(planRefused),

  SubscriptionActivated: learn<'SubscriptionActivated'>(activated),
  SubscriptionExtended: learn<'SubscriptionExtended'>(extended),
  SubscriptionRenewed: learn<'SubscriptionRenewed'>(renewed),
  RenewingSoon: learn<'RenewingSoon'>(renewingSoon),
  SubscriptionPastDue: learn<'SubscriptionPastDue'>(pastDue),
  TopUpAwaited: learn<'TopUpAwaited'>(topUpAwaited),
  DaysGranted: learn<'DaysGranted'>(daysGranted),
  CancellationScheduled: learn<'CancellationScheduled'>(cancellationScheduled),
  CancellationUndone: learn<'CancellationUndone'>(cancellationUndone),
  SubscriptionEnding: learn<'SubscriptionEnding'>(ending),
  SubscriptionEnded: learn<'SubscriptionEnded'>(ended),
  PurchaseRefused: learn<'PurchaseRefused'>(purchaseRefused),
  CancellationRefused: learn<'CancellationRefused'>(cancellationRefused),
  SubscriptionChangeRefused: learn<'SubscriptionChangeRefused'>(changeRefused),

  RestockWished: learn<'RestockWished'>(restockWished),
  RestockWishWithdrawn: learn<'RestockWishWithdrawn'>(restockWishWithdrawn),
  RestockWishRefused: learn<'RestockWishRefused'>(restockWishRefused),
  RestockTold: learn<'RestockTold'>(restockTold),

  AccountDeletionBegun: learn<'AccountDeletionBegun'>(deletionBegun),
  KeysUnlinked: learn<'KeysUnlinked'>(onlyAStep),
  AccountClosed: learn<'AccountClosed'>(onlyAStep),
  AccountDeleted: learn<'AccountDeleted'>(accountDeleted),

  CreditsHeld: learn<'CreditsHeld'>(creditsHeld),
  HoldDeclined: learn<'HoldDeclined'>(onlyAStep),
  HoldReleased: learn<'HoldReleased'>(holdReleased),
  HoldCaptured: learn<'HoldCaptured'>(holdCaptured),
  CreditsPosted: learn<'CreditsPosted'>(creditsPosted),
  CreditsRefunded: learn<'CreditsRefunded'>(creditsRefunded),

  CreditsRefused: learn<'CreditsRefused'>(creditsRefused),
  CreditsToppedUp: learn<'CreditsToppedUp'>(creditsToppedUp),
  TopUpDeclined: learn<'TopUpDeclined'>(topUpDeclined),
  AutoTopUpSet: learn<'AutoTopUpSet'>(autoTopUpSet),
  AutoTopUpRefused: learn<'AutoTopUpRefused'>(autoTopUpRefused),

  KeyAssigned: learn<'KeyAssigned'>(keyAssigned),
  KeyDeclined: learn<'KeyDeclined'>(onlyAStep),
  KeyRemoved: learn<'KeyRemoved'>(keyRemoved),
  SlotChanged: learn<'SlotChanged'>(slotChanged),
  SlotChangeRefused: learn<'SlotChangeRefused'>(slotChangeRefused),
  KeyTested: learn<'KeyTested'>(keyTested),
  StockChanged: learn<'StockChanged'>(stockChanged),
  KeysUploaded: learn<'KeysUploaded'>(keysUploaded),
  UploadRefused: learn<'UploadRefused'>(uploadRefused),
  RevocationSettled: learn<'RevocationSettled'>(revocationSettled),
  RevocationRefused: learn<'RevocationRefused'>(revocationRefused),

  ClockMoved: learn<'ClockMoved'>(clockMoved),
  ClockAdvanced: learn<'ClockAdvanced'>(clockAdvanced),
  ClockRefused: learn<'ClockRefused'>(clockRefused),
  BillingTicked: learn<'BillingTicked'>(billingTicked),

  DeadLetterKept: learn<'DeadLetterKept'>(letterKept),
  DeadLetterRedriven: learn<'DeadLetterRedriven'>(letterRedriven),
  DeadLetterRefused: learn<'DeadLetterRefused'>(letterRefused),
  DeadLetterRehearsed: learn<'DeadLetterRehearsed'>(letterRehearsed),
  InvariantsChecked: learn<'InvariantsChecked'>(invariantsChecked),
  EntryExplained: learn<'EntryExplained'>(entryExplained),
  EntryUnexplained: learn<'EntryUnexplained'>(entryUnexplained),

  ActionAudited: learn<'ActionAudited'>(audited),
  CommandFailed: learn<'CommandFailed'>(fail),
}

/** Steps on the way: nobody is answered because of one, and all of them are there when the outcome comes. */
const ON_THE_WAY: ReadonlySet<MessageName> = new Set<MessageName>([
  'CreditsHeld',
  'HoldDeclined',
  'HoldReleased',
  'HoldCaptured',
  'KeyAssigned',
  'KeyDeclined',
  'StockChanged',
  'InvariantsChecked',
])

/** How a round of events becomes read models. */
export const projector = (store: Pick<Handler<ReadModels>, 'load' | 'save'>): Handler<ReadModels> => ({
  load: store.load,
  decide,
  // A reader of everything: each row goes by its owner's version, or is there already.
  judgedByVersion: new Set(Object.keys(decide) as MessageName[]),
  patient: ON_THE_WAY,
  save: store.save,
})
