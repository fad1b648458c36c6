import type { Saying } from '@coding-plans/runtime'
import type { Instant, UserId } from '@coding-plans/schemas'
import type { Entitlement } from './domain/entitlement.ts'
import { type Assignment, erased, type Key, type KeyState } from './domain/key.ts'
import type { ManagedBy } from './domain/slot.ts'
import type { Stock } from './domain/stock.ts'
import type { Term } from './domain/term.ts'
import type { Answer, LockedKey, SlotRecord } from './inventory.ts'
import { type Envelope, noEnvelope } from './vault.ts'

type Nullable<T> = { [Name in keyof T]: T[Name] | null }

export interface StockRow {
  planId: string
  providerId: string
  version: number
  available: number
  quarantined: number
  assigned: number
  revocationPending: number
  revoked: number
  revocationFailed: number
  retired: number
  uploaded: number
  lowStockThreshold: number
}

export const stockOf = (row: StockRow): Stock => {
  const { planId, providerId, version, uploaded, lowStockThreshold, revocationPending, revocationFailed } = row
  const { available, quarantined, assigned, revoked, retired } = row
  const pending = { revocation_pending: revocationPending, revocation_failed: revocationFailed }
  const counts = { available, quarantined, assigned, revoked, retired, ...pending }
  return { planId, providerId, version, counts, uploaded, lowStockThreshold }
}

export const stockRow = ({ counts, ...stock }: Stock): StockRow => {
  const { revocation_pending: revocationPending, revocation_failed: revocationFailed, ...others } = counts
  return { ...stock, ...others, revocationPending, revocationFailed }
}

/** What a round reads of a key: all but what it locks. */
export const KEY_COLUMNS = `k.id, k.plan_id, k.provider_id, k.state, k.masked, k.upstream_plan_id, k.expires_at, k.sequence,
  k.uploaded_at, k.assignment_id, k.user_id, k.subscription_id, k.assigned_at, k.ownership, k.reveal, k.upstream_revocation,
  k.slot_version, k.stock_version, k.ended_at, k.attempts, k.last_error`

export interface KeyRow extends Nullable<Assignment> {
  id: string
  planId: string
  providerId: string
  state: KeyState
  masked: string
  upstreamPlanId: string | null
  expiresAt: Instant | null
  sequence: number
  uploadedAt: Instant
  endedAt: Instant | null
  attempts: number
  lastError: string | null
}

const unassigned: Nullable<Assignment> = {
  assignmentId: null,
  userId: null,
  subscriptionId: null,
  assignedAt: null,
  ownership: null,
  reveal: null,
  upstreamRevocation: null,
  slotVersion: null,
  stockVersion: null,
}

export const keyOf = (row: KeyRow): Key => {
  const { assignmentId, userId, subscriptionId, assignedAt, ownership, reveal, upstreamRevocation, ...rest } = row
  const { slotVersion, stockVersion, ...key } = rest
  const policy = { ownership, reveal, upstreamRevocation }
  const assignment = { assignmentId, userId, subscriptionId, assignedAt, ...policy, slotVersion, stockVersion }
  return { ...key, assignment: assignmentId === null ? null : (assignment as Assignment) }
}

/** The columns that a key's life changes. */
export const changedKeyRow = ({ id, state, endedAt, attempts, lastError, assignment }: Key) => ({
  id,
  state,
  endedAt,
  attempts,
  lastError,
  ...(assignment ?? unassigned),
})

/** A key that this round uploaded, as the round leaves it. */
export const newKeyRow = (key: Key, { fingerprint, envelope }: LockedKey) => {
  const { assignment, ...plain } = key
  const locked = erased(key) ? noEnvelope : envelope
  return { ...plain, ...(assignment ?? unassigned), fingerprint: Buffer.from(fingerprint, 'hex'), ...locked }
}

export interface SlotRow extends Nullable<Envelope> {
  userId: UserId
  providerId: string
  managedBy: ManagedBy
  subscriptionId: string | null
  keyId: string | null
  enabled: boolean
  masked: string | null
  createdAt: Instant
  updatedAt: Instant
  version: number
}

export const slotOf = ({ ciphertext, wrappedKey, wrappingKeyId, ...slot }: SlotRow): SlotRecord => {
  const locked = ciphertext && wrappedKey && wrappingKeyId !== null
  return { slot, envelope: locked ? { ciphertext, wrappedKey, wrappingKeyId } : null }
}

export const slotRow = ({ slot, envelope }: SlotRecord): SlotRow => ({ ...slot, ...(envelope ?? noEnvelope) })

export interface AnswerRow {
  operationId: string
  userId: string
  providerId: string
  name: Saying['name']
  body: Saying['body']
}

export const answerOf = ({ name, body, ...operation }: AnswerRow): Answer => ({ ...operation, saying: { name, body } })

export const answerRow = ({ saying: { name, body }, ...operation }: Answer): AnswerRow => ({ ...operation, name, body })

export interface EntitlementRow extends Omit<Entitlement, 'term'>, Nullable<Omit<Term, 'version'>> {
  subscriptionVersion: number | null
}

export const entitlementOf = (row: EntitlementRow): Entitlement => {
  const { subscriptionId, graceHours, endsAt, validUntil, subscriptionVersion, ...entitlement } = row
  const term = { subscriptionId, graceHours, endsAt, validUntil, version: subscriptionVersion }
  return { ...entitlement, term: subscriptionId === null ? null : (term as Term) }
}

export const entitlementRow = ({ term, ...entitlement }: Entitlement): EntitlementRow => ({
  ...entitlement,
  subscriptionId: term?.subscriptionId ?? null,
  graceHours: term?.graceHours ?? null,
  endsAt: term?.endsAt ?? null,
  validUntil: term?.validUntil ?? null,
  subscriptionVersion: term?.version ?? null,
})
