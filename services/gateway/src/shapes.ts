import { type TProperties, type TSchema, Type } from 'typebox'
import { deadLetterStates, notificationKinds } from './rows.ts'

/** The shapes of the contract (what leaves the house), as JSON Schema: types, OpenAPI and tests come from them. */

const closed = { additionalProperties: false } as const
export const Shape = <P extends TProperties>(properties: P, options: { $id?: string; description?: string } = {}) =>
  Type.Object(properties, { ...closed, ...options })

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
export const OneOf = <const T extends readonly string[]>(...values: T) =>
  Type.Unsafe<T[number]>(Type.String({ enum: [...values] }))

export const Microdollars = Type.Integer({ description: '1,000,000 = 1 credit = 1 USD' })
export const At = Type.String({ description: 'ISO 8601, UTC, milliseconds', examples: ['2026-01-01T00:00:00.000Z'] })

export const Period = Shape({ unit: OneOf('day', 'month'), count: Type.Integer() })
export const CredentialPolicy = Shape({
  ownership: OneOf('user', 'operator'),
  reveal: Type.Boolean(),
  upstreamRevocation: OneOf('never', 'manual', 'automatic'),
})

const planProperties = {
  id: Type.String(),
  providerId: Type.String(),
  providerName: Type.String(),
  name: Type.String(),
  features: Type.Array(Type.String()),
  models: Type.Array(Type.String()),
  priceMicrodollars: Microdollars,
  period: Period,
  availability: OneOf('available', 'sold_out', 'closed'),
  restockWish: Type.Boolean(),
  credentialPolicy: CredentialPolicy,
  repurchase: OneOf('extend', 'reject'),
  graceHours: Type.Integer(),
}
export const Plan = Shape(planProperties)
export const OperatorPlan = Shape({
  ...planProperties,
  version: Type.Integer(),
  saleState: OneOf('open', 'closed', 'hidden'),
  maxPrepaidPeriods: Type.Integer(),
  lowStockThreshold: Type.Integer(),
  position: Type.Integer(),
  publishedBy: Type.String(),
  publishedAt: At,
})

const subscriptionProperties = {
  id: Type.String(),
  userId: Type.String(),
  planId: Type.String(),
  planName: Type.String(),
  providerId: Type.String(),
  status: OneOf('active', 'past_due', 'ended'),
  cancelAtPeriodEnd: Type.Boolean(),
  priceMicrodollars: Microdollars,
  period: Period,
  currentPeriodStart: At,
  currentPeriodEnd: At,
  accessUntil: At,
  renewsAt: Nullable(At),
  graceEndsAt: Nullable(At),
  endedAt: Nullable(At),
  endReason: Nullable(Type.String()),
  previousSubscriptionId: Nullable(Type.String()),
  createdAt: At,
}
export const Subscription = Shape(subscriptionProperties)

/** Why an entry is on a statement: the price that was copied, the balance around it, and everything that was said on the way. */
export const Explanation = Shape({
  entryId: Type.String(),
  kind: Type.String(),
  amountMicrodollars: Microdollars,
  at: At,
  description: Type.String(),
  subscriptionId: Nullable(Type.String()),
  chargeId: Nullable(Type.String()),
  balanceBeforeMicrodollars: Microdollars,
  balanceAfterMicrodollars: Microdollars,
  price: Nullable(
    Shape({
      planId: Nullable(Type.String()),
      planVersion: Nullable(Type.Integer()),
      priceMicrodollars: Microdollars,
      period: Nullable(Type.String({ examples: ['1 month'] })),
    }),
  ),
  askedBy: OneOf('user', 'operator', 'schedule'),
  chain: Type.Array(
    Shape({
      messageId: Type.String(),
      name: Type.String(),
      service: Type.String(),
      at: At,
      topic: Type.String(),
      partition: Type.Integer(),
      offset: Type.Integer(),
      causedBy: Nullable(Type.String()),
    }),
    { description: 'from what began it to the entry' },
  ),
})

export const Invariants = Shape({
  ok: Type.Boolean(),
  checkedAt: At,
  checks: Type.Array(
    Shape({
      name: Type.String(),
      ok: Type.Boolean(),
      violations: Type.Integer(),
      examples: Type.Array(Type.String()),
    }),
  ),
})

export const Charge = Shape({
  id: Type.String(),
  kind: OneOf('activation', 'renewal', 'extension', 'refund', 'grant'),
  amountMicrodollars: Microdollars,
  periodStart: At,
  periodEnd: At,
  at: At,
  description: Type.String(),
})

export const Purchase = Shape({
  operationId: Type.String(),
  kind: OneOf('activation', 'extension'),
  subscription: Subscription,
  charge: Nullable(Charge),
})

export const Entry = Shape({
  id: Type.String(),
  at: At,
  kind: OneOf('grant', 'payment', 'adjustment', 'charge', 'refund', 'top_up'),
  amountMicrodollars: Microdollars,
  balanceAfterMicrodollars: Microdollars,
  description: Type.String(),
  subscriptionId: Nullable(Type.String()),
  chargeId: Nullable(Type.String()),
})

export const Credits = Shape({
  balanceMicrodollars: Microdollars,
  heldMicrodollars: Microdollars,
  availableMicrodollars: Microdollars,
  autoTopUp: Shape({
    enabled: Type.Boolean(),
    amountMicrodollars: Microdollars,
    paymentMethodId: Nullable(Type.String()),
  }),
})

export const Slot = Shape({
  providerId: Type.String(),
  managedBy: OneOf('user', 'plan'),
  subscriptionId: Nullable(Type.String()),
  enabled: Type.Boolean(),
  maskedKey: Type.String(),
  createdAt: At,
  updatedAt: At,
})

export const Notification = Shape({
  id: Type.String(),
  at: At,
  kind: OneOf(...notificationKinds),
  subscriptionId: Nullable(Type.String()),
  planId: Nullable(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
})

export const ProblemShape = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
  },
  { description: 'RFC 9457, with a stable code and the fields that the contract names for it' },
)

/** The same by its name, for answers that refer to it. */
export const Problem = { $id: 'Problem', ...ProblemShape }

export const Operation = Shape({
  id: Type.String(),
  kind: Type.String(),
  status: OneOf('pending', 'succeeded', 'refused', 'failed'),
  startedAt: At,
  finishedAt: Nullable(At),
  steps: Type.Array(Shape({ name: Type.String(), service: Type.String(), at: At, detail: Nullable(Type.String()) })),
  result: Nullable(Type.Unknown()),
  problem: Nullable(ProblemShape),
})

export const UploadReport = Type.Array(
  Shape({
    line: Type.Integer({ minimum: 1 }),
    outcome: OneOf('accepted', 'duplicate', 'invalid'),
    reason: Type.Optional(Type.String()),
  }),
)
export const Upload = Shape({
  uploadId: Type.String(),
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  invalid: Type.Integer(),
  report: UploadReport,
})

export const DeadLetter = Shape({
  id: Type.String(),
  service: Type.String(),
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.Integer(),
  messageId: Nullable(Type.String()),
  messageName: Type.String(),
  subject: Type.String({ description: 'its key; what cannot be one is told by its id' }),
  reason: Type.String(),
  at: At,
  redrives: Type.Integer(),
  redrivesLeft: Type.Integer({ description: 'how often it may be redriven yet' }),
  state: OneOf(...deadLetterStates),
  correlationId: Type.String(),
})

export const Rehearsal = Shape({
  succeeds: Type.Boolean(),
  reason: Nullable(Type.String()),
  says: Type.Array(Shape({ name: Type.String(), body: Type.String({ description: 'JSON, as the message says it' }) })),
  calls: Type.Array(Shape({ name: Type.String(), request: Type.String({ description: 'JSON' }) }), {
    description: 'to the outside',
  }),
  changes: Type.Array(Shape({ table: Type.String(), verb: OneOf('insert', 'update', 'delete'), rows: Type.Integer() })),
})

export const Clock = Shape({ mode: OneOf('system', 'test'), now: At, settled: Type.Boolean() })

/** What an advance that is still running answers. */
export const Advancing = Shape({ ...Operation.properties, ...Clock.properties })

export const page = <T extends TSchema>(item: T) =>
  Shape({ data: Type.Array(item), nextCursor: Nullable(Type.String()) })
