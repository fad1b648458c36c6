import { FIRST_ATTEMPT } from './idempotency.ts'
import type { Outcome } from './rows.ts'

/** What is kept of an idempotency key; `outcome` only once it can be seen. */
export interface KeptKey {
  /** Hex of the keyed hash of the request that used it. */
  readonly request: string
  readonly attempt: number
  readonly operationId: string | null
  readonly outcome: Outcome | null
}

/** A key before its first attempt. */
export const neverUsed: KeptKey = { request: '', attempt: FIRST_ATTEMPT - 1, operationId: null, outcome: null }

export type KeyDecision =
  | { readonly verdict: 'new'; readonly attempt: number }
  | { readonly verdict: 'replayed' | 'attached'; readonly operationId: string }
  | { readonly verdict: 'reused' }

/**
 * What an Idempotency-Key means for a request (IDE-1, IDE-2): the first success is kept for ever and answers again;
 * equal requests at the same time share one outcome; a refusal or a failure frees the key, for any request.
 */
export const decideKey = ({ request, attempt, operationId, outcome }: KeptKey, asked: string): KeyDecision => {
  if (operationId === null || outcome === 'refused' || outcome === 'failed')
    return { verdict: 'new', attempt: attempt + 1 }
  if (request !== asked) return { verdict: 'reused' }
  return { verdict: outcome === 'succeeded' ? 'replayed' : 'attached', operationId }
}
