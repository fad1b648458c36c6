import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import type { Answer, Client, House } from './house.ts'

/** What api.md says of every answer, and the shapes that it names, written down a second time and from outside. */

export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const NAMES_INSTANT = /^(at|now|periodStart|periodEnd|currentPeriodStart|currentPeriodEnd|\w+(At|Until))$/

type Check = (value: unknown) => boolean
export type ShapeOf = Readonly<Record<string, Check>>

export const text: Check = (value) => typeof value === 'string' && value !== ''
export const anyText: Check = (value) => typeof value === 'string'
export const flag: Check = (value) => typeof value === 'boolean'
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
export const money: Check = (value) => Number.isSafeInteger(value)
export const instant: Check = (value) => typeof value === 'string' && INSTANT.test(value)
export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)
export const orNull =
  (fits: Check): Check =>
  (value) =>
    value === null || fits(value)
export const listOf =
  (fits: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(fits)
export const shaped =
  (shape: ShapeOf): Check =>
  (value) =>
    complaints(shape, value).length === 0

const complaints = (shape: ShapeOf, value: unknown): string[] => {
  if (value === null || typeof value !== 'object') return [`no object: ${JSON.stringify(value)}`]
  const row = value as Record<string, unknown>
  return Object.entries(shape).flatMap(([name, fits]) =>
    name in row && fits(row[name]) ? [] : [`${name}: ${JSON.stringify(row[name])}`],
  )
}

/** All fields of the shape are there, with their types; more may be. */
export const expectShape = (shape: ShapeOf, value: unknown) => expect(complaints(shape, value)).toEqual([])

const period = shaped({ unit: oneOf('day', 'month'), count })
const policy = shaped({
  ownership: oneOf('user', 'operator'),
  reveal: flag,
  upstreamRevocation: oneOf('never', 'manual', 'automatic'),
})

export const plan: ShapeOf = {
  id: text,
  providerId: text,
  providerName: text,
  name: text,
  features: listOf(text),
  models: listOf(text),
  priceMicrodollars: count,
  period,
  availability: oneOf('available', 'sold_out', 'closed'),
  restockWish: flag,
  credentialPolicy: policy,
  repurchase: oneOf('extend', 'reject'),
  graceHours: count,
}
export const operatorPlan: ShapeOf = {
  ...plan,
  version: count,
  saleState: oneOf('open', 'closed', 'hidden'),
  maxPrepaidPeriods: count,
  lowStockThreshold: count,
  position: money,
}
const endReasons = ['user_canceled', 'insufficient_credits', 'admin_terminated', 'account_deleted', 'dispute']
export const subscription: ShapeOf = {
  id: text,
  userId: text,
  planId: text,
  planName: text,
  providerId: text,
  status: oneOf('active', 'past_due', 'ended'),
  cancelAtPeriodEnd: flag,
  priceMicrodollars: count,
  period,
  currentPeriodStart: instant,
  currentPeriodEnd: instant,
  accessUntil: instant,
  renewsAt: orNull(instant),
  graceEndsAt: orNull(instant),
  endedAt: orNull(instant),
  endReason: orNull(oneOf(...endReasons)),
  previousSubscriptionId: orNull(text),
  createdAt: instant,
}
export const charge: ShapeOf = {
  id: text,
  kind: oneOf('activation', 'renewal', 'extension', 'refund', 'grant'),
  amountMicrodollars: count,
  periodStart: instant,
  periodEnd: instant,
  at: instant,
  description: anyText,
}
export const purchase: ShapeOf = {
  operationId: text,
  kind: oneOf('activation', 'extension'),
  subscription: shaped(subscription),
  charge: orNull(shaped(charge)),
}
export const entry: ShapeOf = {
  id: text,
  at: instant,
  kind: oneOf('grant', 'payment', 'adjustment', 'charge', 'refund', 'top_up'),
  amountMicrodollars: money,
  balanceAfterMicrodollars: money,
  description: anyText,
  subscriptionId: orNull(text),
  chargeId: orNull(text),
}
export const credits: ShapeOf = {
  balanceMicrodollars: money,
  heldMicrodollars: count,
  availableMicrodollars: money,
  autoTopUp: shaped({ enabled: flag, amountMicrodollars: count, paymentMethodId: orNull(text) }),
}
export const slot: ShapeOf = {
  providerId: text,
  managedBy: oneOf('user', 'plan'),
  subscriptionId: orNull(text),
  enabled: flag,
  maskedKey: text,
  createdAt: instant,
  updatedAt: instant,
}
export const problem: ShapeOf = { type: text, title: text, status: count, detail: text, code: text }
export const operation: ShapeOf = {
  id: text,
  kind: text,
  status: oneOf('pending', 'succeeded', 'refused', 'failed'),
  startedAt: instant,
  finishedAt: orNull(instant),
  steps: listOf(shaped({ name: text, service: text, at: instant, detail: orNull(anyText) })),
  result: () => true,
  problem: orNull(shaped(problem)),
}
export const inventoryKey: ShapeOf = {
  id: text,
  planId: text,
  state: text,
  upstreamPlanId: orNull(text),
  uploadedAt: instant,
  assignedAt: orNull(instant),
  subscriptionId: orNull(text),
  attempts: count,
  lastError: orNull(text),
}
export const upload: ShapeOf = {
  uploadId: text,
  accepted: count,
  duplicates: count,
  invalid: count,
  report: listOf(shaped({ line: count, outcome: oneOf('accepted', 'duplicate', 'invalid') })),
}
export const deadLetter: ShapeOf = {
  id: text,
  service: text,
  topic: text,
  partition: count,
  offset: count,
  messageId: orNull(text),
  messageName: anyText,
  subject: text,
  reason: text,
  at: instant,
  redrives: count,
  redrivesLeft: count,
  state: oneOf('kept', 'redriven'),
  correlationId: text,
}
export const rehearsal: ShapeOf = {
  succeeds: flag,
  reason: orNull(text),
  says: listOf(shaped({ name: text, body: text })),
  calls: listOf(shaped({ name: text, request: text })),
  changes: listOf(shaped({ table: text, verb: oneOf('insert', 'update', 'delete'), rows: count })),
}
export const clock: ShapeOf = { mode: oneOf('system', 'test'), now: instant, settled: flag }

/** Fields that break the manner of their name, anywhere in an answer. */
const misnamed = (value: unknown, at = ''): string[] => {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = `${at}/${name}`
    if (name.endsWith('Microdollars')) return Number.isSafeInteger(inner) ? [] : [`${path}: ${inner}`]
    if (NAMES_INSTANT.test(name) && !(inner === null || instant(inner))) return [`${path}: ${inner}`]
    return misnamed(inner, path)
  })
}

const COMMAND = /^(PUT|PATCH|DELETE|POST) (?!.*\/reveal)/
const INSIDE = /\bat .*\.(ts|js):\d|node_modules|SELECT |ECONN|stack/

/** Every answer must pass, whatever it says. */
export const requireManners = (call: string, { status, headers, body }: Answer) => {
  const type = headers.get('content-type') ?? ''
  if (status >= 400 && !call.startsWith('HEAD')) {
    expect(type, call).toMatch(/^application\/problem\+json/)
    expectShape(problem, body)
    expect(body.status, call).toBe(status)
    expect(JSON.stringify(body), call).not.toMatch(INSIDE)
  }
  if (status === 429 || status === 503) expect(headers.get('retry-after'), call).toMatch(/^[1-9]\d*$/)
  if (status < 300 && COMMAND.test(call)) expect(headers.get('operation-id'), call).toMatch(/./)
  expect(misnamed(body), call).toEqual([])
}

/** A client whose every answer is looked at. */
export const watched =
  (client: Client): Client =>
  async (call, options) => {
    const answer = await client(call, options)
    requireManners(call, answer)
    return answer
  }

export const watchedUser = async (house: House, user: string, roles: readonly string[] = []) =>
  watched(await house.as(user, roles))

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
/** A token made by hand, so that it may be wrong. */
export const forge = (claims: object, secret: string, header: object = { alg: 'HS256', typ: 'JWT' }) => {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
export const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

/** Refused with this status and code. */
export const expectRefusal = (answer: Answer, status: number, code: string) =>
  expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code })
