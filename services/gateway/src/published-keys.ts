import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

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

type Asked = Parameters<JWTVerifyGetKey>

/** The key of a token, and until when what it has verified may be believed without asking again. */
export type FindKey = (...asked: Asked) => Promise<{ key: CryptoKey | Uint8Array; until: number }>

type Known = { readonly find: ReturnType<typeof createLocalJWKSet>; readonly readAt: number }

/** By the set that is at hand now; when the key is found, another may be. */
const findIn = async ({ find, readAt }: Known, asked: Asked) => ({
  key: await find(...asked),
  until: readAt + KEYS_FRESH_FOR_MILLISECONDS,
})

/** An issuer's published keys (JWKS), read when they are needed. @throws KeysAway, JOSEError */
export const publishedKeys = (url: string, now: () => number): FindKey => {
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

  return async (...asked) => {
    // In an outage nothing is remembered: whom the last keys let in must not wait for an issuer that hangs.
    const mustWait = !known || answered || olderThan(KEYS_GOOD_FOR_MILLISECONDS)
    const news = olderThan(KEYS_FRESH_FOR_MILLISECONDS) ? ask() : null
    if (mustWait) await news
    if (!known || olderThan(KEYS_GOOD_FOR_MILLISECONDS)) throw new KeysAway('The keys cannot be read.')
    try {
      return await findIn(known, asked)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await ask()
      // Perhaps it is a new key of theirs: only who publishes them could tell.
      if (!answered) throw new KeysAway('Whether this is a key of theirs cannot be asked.')
      return findIn(known, asked)
    }
  }
}
