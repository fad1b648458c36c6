import type { MessageName } from '@coding-plans/schemas'

/** Every operation that can be asked for: the command it sends, and the status its success answers with. */
export const operationKinds = {
  purchase: { command: 'PurchasePlan', success: 201 },
  cancel: { command: 'CancelSubscription', success: 200 },
  resume: { command: 'ResumeSubscription', success: 200 },
  terminate: { command: 'TerminateSubscription', success: 200 },
  put_key: { command: 'PutOwnKey', success: 200 },
  enable_key: { command: 'EnableOwnKey', success: 200 },
  delete_key: { command: 'DeleteOwnKey', success: 204 },
  test_key: { command: 'TestKey', success: 200 },
  publish_plan: { command: 'PublishPlan', success: 200 },
  upload_keys: { command: 'UploadKeys', success: 200 },
  post_credits: { command: 'PostCredits', success: 201 },
  advance_clock: { command: 'AdvanceClock', success: 200 },
} as const satisfies Record<string, { command: MessageName; success: number }>

export type OperationKind = keyof typeof operationKinds
