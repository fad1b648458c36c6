import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

/** As long are the published keys taken as they were read; so long at most does a key that was taken back go on opening. */
export const KEYS_FRESH_FOR_MILLISECONDS = 10 * 60_000
/** While their place does not answer, the last ones are good for an hour: an outage there is none here. */
export const KEYS_GOOD_FOR_MILLISECONDS = 60 * 60_000
/** Whoever invents key ids makes us ask no oftener, whether we are answered or not. */
export const ASK_AGAIN_AFTER_MILLISECONDS = 30_000
/** Before anything was ever read nobody can be let in: asked again sooner. */
export const ASK_FIRST_AGAIN_AFTER_MILLISECONDS = 1_000
const ANSWER_WITHIN_MILLISECONDS = 3_000
const MOST_BYTES = 256 * 1024

/** The keys cannot be known at the moment; nothing is said of the token. */
export class KeysAway extends Error {
  override readonly name = 'KeysAway'
}

const fetchKeys = async (url: string) => {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS)
  const answer = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
  const body = await answer.text()
  if (answer.status !== 200 || body.length > MOST_BYTES) throw new KeysAway('No keys were answered.')
  return createLocalJWKSet(JSON.parse(body) as JSONWebKeySet)
}

type Known = { readonly find: JWTVerifyGetKey; readonly readAt: number }

/** An issuer's published keys (JWKS), read when they are needed. @throws KeysAway, JOSEError */
export const publishedKeys = (url: string, now: () => number): JWTVerifyGetKey => {
  let known: Known | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let answered = false
  let asking: Promise<void> | null = null

  const ask = () => {
    if (asking !== null) return asking
    const pause = known ? ASK_AGAIN_AFTER_MILLISECONDS : ASK_FIRST_AGAIN_AFTER_MILLISECONDS
    if (now() - askedAt < pause) return Promise.resolve()
    askedAt = now()
    asking = fetchKeys(url)
      .then(
        (find) => {
          known = { find, readAt: askedAt }
          answered = true
        },
        () => {
          answered = false
        },
      )
      .finally(() => {
        asking = null
      })
    return asking
  }

  const olderThan = (milliseconds: number) => !known || now() - known.readAt >= milliseconds

  return async (header, token) => {
    if (olderThan(KEYS_FRESH_FOR_MILLISECONDS)) await ask()
    if (!known || olderThan(KEYS_GOOD_FOR_MILLISECONDS)) throw new KeysAway('The keys cannot be read.')
    try {
      return await known.find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await ask()
      // Perhaps it is a new key of theirs: only who publishes them could tell.
      if (!answered) throw new KeysAway('Whether this is a key of theirs cannot be asked.')
      return known.find(header, token)
    }
  }
}
