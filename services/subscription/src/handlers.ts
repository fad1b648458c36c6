import type { Decide, Handler, Message, Saying } from '@coding-plans/runtime'
import type { Instant, MessageName } from '@coding-plans/schemas'
import { answer, commandFailed } from './answers.ts'
import type { Books } from './books.ts'
import { cancelSubscription, resumeSubscription } from './cancellations.ts'
import { publishPlan } from './catalogue.ts'
import { deleteAccount } from './deletions.ts'
import type { FixedPrices } from './domain/fixed-prices.ts'
import { periodEnded, renewalDueSoon } from './due-terms.ts'
import { giveDays } from './grants.ts'
import { purchasePlan } from './purchases.ts'
import type { Store } from './store.ts'
import { terminateSubscription } from './terminations.ts'
import { autoTopUpSet, availableIncreased, deadlineReached, topUpOutcome } from './unpaid-terms.ts'
import { stockChanged, wishRestock, withdrawRestockWish } from './wishes.ts'

type DecideAt<Name extends MessageName> = (books: Books, message: Message<Name>, at: Instant) => Saying[]

/** Business time of what is decided and said: the message's, lifted to what its user's messages have reached. */
const lifted =
  <Name extends MessageName>(decide: DecideAt<Name>) =>
  (books: Books, message: Message<Name>): Saying[] => {
    const at = books.reach(message.key, message.time)
    return decide(books, message, at).map((saying) => ({ time: at, ...saying }))
  }

/** The service's table of contents: what it listens to, and who decides it. */
export const decide = (prices: FixedPrices): Decide<Books> => ({
  PublishPlan: publishPlan(prices),
  PurchasePlan: lifted(purchasePlan),
  CancelSubscription: lifted(cancelSubscription),
  ResumeSubscription: lifted(resumeSubscription),
  TerminateSubscription: lifted(terminateSubscription),
  GrantDays: lifted(giveDays),
  DeleteAccount: lifted(deleteAccount),
  WishRestock: lifted(wishRestock),
  WithdrawRestockWish: lifted(withdrawRestockWish),
  PeriodEnded: lifted(periodEnded),
  RenewalDueSoon: lifted(renewalDueSoon),
  GraceEnded: lifted(deadlineReached),
  TopUpWaitEnded: lifted(deadlineReached),
  CreditsHeld: lifted(answer),
  HoldDeclined: lifted(answer),
  HoldCaptured: lifted(answer),
  HoldReleased: lifted(answer),
  CreditsRefunded: lifted(answer),
  AvailableIncreased: lifted(availableIncreased),
  AutoTopUpSet: lifted(autoTopUpSet),
  CreditsToppedUp: lifted(topUpOutcome),
  TopUpDeclined: lifted(topUpOutcome),
  TopUpUnanswered: lifted(topUpOutcome),
  AccountClosed: lifted(answer),
  KeyAssigned: lifted(answer),
  KeyDeclined: lifted(answer),
  KeyRemoved: lifted(answer),
  KeysUnlinked: lifted(answer),
  StockChanged: stockChanged,
  CommandFailed: lifted(commandFailed),
})

export const subscriptionHandler = (
  prices: FixedPrices,
  wallClock: () => Instant,
  store: Pick<Store, 'load' | 'save'>,
): Handler<Books> => ({
  load: (tx, messages) => store.load(tx, messages, wallClock()),
  decide: decide(prices),
  // Whoever waits for a restock has waited for days.
  patient: new Set<MessageName>(['StockChanged']),
  save: store.save,
})
