import { type MessageName, routeOf } from '@coding-plans/schemas'

/** Every operation that can be asked for: the command it sends, the status its success answers with, and what it is about. */
export const operationKinds = {
  purchase: { command: 'PurchasePlan', success: 201, subject: 'user' },
  cancel: { command: 'CancelSubscription', success: 200, subject: 'user' },
  resume: { command: 'ResumeSubscription', success: 200, subject: 'user' },
  terminate: { command: 'TerminateSubscription', success: 200, subject: 'user' },
  grant_days: { command: 'GrantDays', success: 200, subject: 'user' },
  wish_restock: { command: 'WishRestock', success: 200, subject: 'user' },
  withdraw_wish: { command: 'WithdrawRestockWish', success: 204, subject: 'user' },
  set_auto_top_up: { command: 'SetAutoTopUp', success: 200, subject: 'user' },
  // Its outcome is a report, told as an operation whenever it is asked for (GDP-1).
  delete_account: { command: 'DeleteAccount', success: 202, subject: 'user' },
  put_key: { command: 'PutOwnKey', success: 200, subject: 'user' },
  enable_key: { command: 'EnableOwnKey', success: 200, subject: 'user' },
  delete_key: { command: 'DeleteOwnKey', success: 204, subject: 'user' },
  test_key: { command: 'TestKey', success: 200, subject: 'user' },
  publish_plan: { command: 'PublishPlan', success: 200, subject: 'plan' },
  settle_revocation: { command: 'SettleRevocation', success: 200, subject: 'plan' },
  upload_keys: { command: 'UploadKeys', success: 200, subject: 'plan' },
  post_credits: { command: 'PostCredits', success: 201, subject: 'user' },
  redrive_dead_letter: { command: 'RedriveDeadLetter', success: 200, subject: 'letter' },
  rehearse_dead_letter: { command: 'RehearseDeadLetter', success: 200, subject: 'letter' },
  advance_clock: { command: 'AdvanceClock', success: 200, subject: 'clock' },
  explain_entry: { command: 'ExplainEntry', success: 200, subject: 'user' },
  billing_tick: { command: 'RunBillingTick', success: 200, subject: 'clock' },
} as const satisfies Record<
  string,
  { command: MessageName; success: number; subject: 'user' | 'plan' | 'letter' | 'clock' }
>

export type OperationKind = keyof typeof operationKinds

/** Whether it is this service's to carry that command out. Others hear it too, and what they cannot read fails nothing. */
export const carriesOut = (service: string, command: MessageName) => [service, 'any'].includes(routeOf(command).owner)

const commands = Object.values(operationKinds).map(({ command }) => command)

/**
 * Whether a dead letter is what somebody asked for here, and died where it was to be done. Its operation failed and its key is
 * free: it is asked for anew, and the first must not take effect after all (credits posted twice, an older key over a newer one).
 */
export const isAskedAnew = (letter: { readonly service: string; readonly messageName: string }) =>
  commands.some((name) => name === letter.messageName && carriesOut(letter.service, name))
