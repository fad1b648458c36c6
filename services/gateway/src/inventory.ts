import { pause } from '@coding-plans/runtime'
import { notFound, problem, Refused, unavailable } from './problem.ts'
import { rateLimited } from './rate-limit.ts'
import type { SealingKey } from './sealing.ts'

/** The two things that are asked of the inventory directly (protocol.md 7). */
export interface Inventory {
  /** @param fresh ask anew: the one known was not. @throws Refused 503 */
  sealingKey(fresh?: boolean): Promise<SealingKey>
  /** The key in a slot, in clear; audited with the business time `at`. @throws Refused 404, 403, 429, 503 */
  reveal(slot: { userId: string; providerId: string; at: number | null }): Promise<string>
}

const ANSWER_WITHIN_MILLISECONDS = 5_000
const ASK_AGAIN_AFTER_MILLISECONDS = 100
/** What an instance answers that is about to stop. */
const STOPPING = 503
const RETRY_AFTER_SECONDS = 60

/**
 * Who is away or stopping is passed over for the next, until all have been asked in vain for as long as an answer may take:
 * a restart, of the only one even, is not told to the user.
 * @param urls of the instances
 * @param secret the bearer of these two calls, which no other service has
 */
export const inventoryAt = (urls: readonly string[], secret: Buffer): Inventory => {
  const authorization = `Bearer ${secret.toString('base64')}`
  const ask = async (path: string, body?: object): Promise<Response> => {
    const headers = { authorization, ...(body ? { 'content-type': 'application/json' } : {}) }
    const request = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers }
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS)
    for (let attempt = 0; ; attempt += 1) {
      const url = new URL(path, urls[attempt % urls.length])
      const answer = await fetch(url, { ...request, redirect: 'error', signal }).catch(() => null)
      if (answer && answer.status !== STOPPING) return answer
      await answer?.body?.cancel()
      if (signal.aborted) throw unavailable('The key inventory does not answer; nothing was accepted.')
      if ((attempt + 1) % urls.length === 0) await pause(ASK_AGAIN_AFTER_MILLISECONDS, signal)
    }
  }
  let known: Promise<SealingKey> | null = null
  const fetchKey = async (): Promise<SealingKey> => {
    const answer = await ask('/internal/sealing-key')
    if (!answer.ok) throw unavailable('The key inventory does not answer; nothing was accepted.')
    const { keyId, publicKey } = (await answer.json()) as { keyId: string; publicKey: string }
    return { keyId, publicKey: Buffer.from(publicKey, 'base64') }
  }
  return {
    sealingKey: (fresh = false) => {
      if (fresh) known = null
      known ??= fetchKey().catch((error) => {
        known = null
        throw error
      })
      return known
    },
    reveal: async ({ userId, providerId, at }) => {
      const answer = await ask('/internal/reveal', { userId, providerId, ...(at === null ? {} : { at }) })
      const body = (await answer.json().catch(() => ({}))) as { key?: string; retryAfterSeconds?: number }
      if (answer.status === 200 && typeof body.key === 'string') return body.key
      if (answer.status === 404) throw notFound('slot')
      if (answer.status === 403) throw revealNotAllowed()
      if (answer.status === 429) throw rateLimited(body.retryAfterSeconds ?? RETRY_AFTER_SECONDS)
      throw unavailable('The key inventory does not answer; try again.')
    },
  }
}

const revealNotAllowed = () => new Refused(problem('reveal_not_allowed', 'The key of this slot is never shown.'))
