import { createHash } from 'node:crypto'
import type { Instant } from '@coding-plans/schemas'

const digest = (...parts: (string | number)[]) =>
  createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 32)
/** As everybody outside reads it. */
export const iso = (at: Instant) => new Date(at).toISOString()

// Derived, so that a repeat of what made them makes the same ones (IDE-3); boundaries as canonical UTC instants.

export const subscriptionIdOf = (operationId: string) => `sub_${digest(operationId)}`

/** The term's key: one charge for one subscription and boundary, whatever the number of attempts. */
export const chargeIdOf = (subscriptionId: string, boundary: Instant) => `chg_${digest(subscriptionId, iso(boundary))}`

/**
 * One attempt at a renewal, and so its hold: one for each due message, since that is said again after a failure, and one
 * more whenever what was given back is to be asked for again.
 */
export const renewalIdOf = (dueMessageId: string, attempt = 0) =>
  `ren_${attempt === 0 ? digest(dueMessageId) : digest(dueMessageId, attempt)}`

/** One hold of a saga that may need several: a declined hold's id is good for nothing else (protocol.md 4). */
export const holdIdOf = (sagaId: string, attempt: number) => (attempt === 0 ? sagaId : `hld_${digest(sagaId, attempt)}`)

/** What a request for a top-up is known by: whoever asks, and by which of its declined holds. */
export const topUpIdOf = (sagaId: string, attempt: number) => `tup_${digest(sagaId, attempt)}`

/** The zero charge that names who gave days and why: a double click grants once (EXT-6). */
export const grantIdOf = (operationId: string) => `chg_${digest('grant', operationId)}`

/** What an end gives back. There is only one in a subscription's life. */
export const refundIdOf = (subscriptionId: string) => `rfd_${digest(subscriptionId)}`

/** The end that a due term brings. There is only one in a subscription's life. */
export const endIdOf = (subscriptionId: string) => `end_${digest(subscriptionId)}`
