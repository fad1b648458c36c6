import type { Bodies, Instant, UserId } from '@coding-plans/schemas'

export type KeyState = Exclude<Bodies['StockChanged']['keys'][number]['state'], 'unknown'>
export type Ownership = Exclude<Bodies['AssignKey']['ownership'], 'unknown'>
export type UpstreamRevocation = Exclude<Bodies['AssignKey']['upstreamRevocation'], 'unknown'>

/** Who got the key, under which policy, and the versions that its answer named. */
export interface Assignment {
  readonly assignmentId: string
  /** null, and the subscription too: that user is deleted (GDP-1). */
  readonly userId: UserId | null
  readonly subscriptionId: string | null
  readonly assignedAt: Instant
  readonly ownership: Ownership
  readonly reveal: boolean
  readonly upstreamRevocation: UpstreamRevocation
  readonly slotVersion: number
  readonly stockVersion: number
}

/** One upstream key of the stock. What it opens is not here: only the vault has that. */
export interface Key {
  readonly id: string
  readonly planId: string
  readonly providerId: string
  readonly state: KeyState
  readonly masked: string
  readonly upstreamPlanId: string | null
  readonly expiresAt: Instant | null
  /** Its place in the plan's order of upload. */
  readonly sequence: number
  readonly uploadedAt: Instant
  readonly assignment: Assignment | null
  /** When access ended; the slot no longer has it. */
  readonly endedAt: Instant | null
  /** How often revoking it at the vendor failed, and why it did last; never with a secret in it (INV-9). */
  readonly attempts: number
  readonly lastError: string | null
}

export type KeyStep =
  | 'assign'
  | 'expire'
  | 'keep as evidence'
  | 'withdraw'
  | 'revoke'
  | 'fail to revoke'
  | 'revoke anew'

/** States down, steps across (requirements, section 2). What was assigned has no way back to `available`. */
export const keyTransitions: Readonly<Record<KeyState, Partial<Record<KeyStep, KeyState>>>> = {
  available: { assign: 'assigned', expire: 'retired' },
  quarantined: {},
  assigned: { 'keep as evidence': 'assigned', withdraw: 'revocation_pending' },
  revocation_pending: { revoke: 'revoked', 'fail to revoke': 'revocation_failed' },
  revoked: {},
  revocation_failed: { revoke: 'revoked', 'revoke anew': 'revocation_pending' },
  retired: {},
}

export const keyStates = Object.keys(keyTransitions) as KeyState[]

const step = ({ id, state }: Key, taken: KeyStep): KeyState => {
  const next = keyTransitions[state][taken]
  if (!next) throw new Error(`Key ${id} is ${state}: no way to ${taken}.`)
  return next
}

/** At its instant a key has expired. */
export const expired = ({ expiresAt }: Key, now: Instant) => expiresAt !== null && expiresAt <= now

/** A key goes to one user once (INV-5). @throws if it was ever assigned, or is no longer healthy. */
export const assign = (key: Key, assignment: Assignment): Key => ({ ...key, state: step(key, 'assign'), assignment })

/** Expired stock is never sold (INV-6). */
export const expire = (key: Key): Key => ({ ...key, state: step(key, 'expire') })

/**
 * End of access: upstream follows the policy that was copied at assignment, whoever owns the key (SLT-3).
 * A key whose access has ended already stays as it is.
 */
export const end = (key: Key, at: Instant): Key => {
  if (key.endedAt !== null || !key.assignment) return key
  const taken = key.assignment.upstreamRevocation === 'never' ? 'keep as evidence' : 'withdraw'
  return { ...key, state: step(key, taken), endedAt: at }
}

export type RevocationOutcome = 'done' | 'failed' | 'requeue'

const revocationSteps: Readonly<Record<RevocationOutcome, KeyStep>> = {
  done: 'revoke',
  failed: 'fail to revoke',
  requeue: 'revoke anew',
}

/** What became of revoking it at the vendor (INV-9); null: not from this state. `error` has no secret in it any more. */
export const settleRevocation = (key: Key, outcome: RevocationOutcome, error: string | null): Key | null => {
  const state = keyTransitions[key.state][revocationSteps[outcome]]
  if (!state) return null
  return outcome === 'failed' ? { ...key, state, attempts: key.attempts + 1, lastError: error } : { ...key, state }
}

/** Nobody can tell any more whose it was (GDP-1); that it was somebody's stays: it never returns to stock. */
export const unlink = (key: Key): Key =>
  key.assignment ? { ...key, assignment: { ...key.assignment, userId: null, subscriptionId: null } } : key

/** Whether nothing may be left of what the key opens: it is only evidence, or revoked. */
export const erased = ({ state, endedAt }: Key) => state === 'revoked' || (state === 'assigned' && endedAt !== null)
