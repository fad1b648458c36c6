import type { Bed } from '@coding-plans/local/bed'
import { pause } from '@coding-plans/runtime'
import type { Speaker } from '@coding-plans/runtime/testing'
import { type Feed, holdIdOf, type Records } from './ledger-feed.ts'
import { EVENTS } from './ledger-process.ts'

const DEADLINE_MILLISECONDS = 60_000

/**
 * Says so many in a second, those that are due at once in one send.
 * @returns the instant at which each was due, not when it was sent: else a send that takes long would hide its victims.
 */
export const sayPaced = async (speaker: Speaker, records: Records, perSecond: number): Promise<readonly number[]> => {
  const began = performance.now()
  const dueAt = records.map((_, n) => began + (n * 1_000) / perSecond)
  for (let said = 0; said < records.length; ) {
    const due = Math.min(records.length, Math.floor(((performance.now() - began) * perSecond) / 1_000) + 1)
    if (due === said) await pause(1)
    else await speaker.say(records.slice(said, due))
    said = due
  }
  return dueAt
}

/** Hears what is answered from now on; `answered` messages were there before. */
export const hear = async (bed: Bed, { feed, answered }: { feed: Feed; answered: number }) => {
  const listener = await bed.listener([EVENTS])
  await listener.until(() => true, answered, DEADLINE_MILLISECONDS)
  const places = new Map(Array.from({ length: feed.holds }, (_, n) => [holdIdOf(feed.variant, n), n]))
  const heardAt = Array.from({ length: feed.holds }, () => Number.NaN)
  const listen = async () => {
    const until = Date.now() + DEADLINE_MILLISECONDS
    for (let missing = feed.holds, seen = answered; missing > 0; await pause(1)) {
      if (Date.now() > until) throw new Error(`${missing} of ${feed.holds} answers are not heard.`)
      const now = performance.now()
      for (const { name, body } of listener.heard.slice(seen)) {
        seen += 1
        const place = name === 'CreditsHeld' ? places.get(body.holdId) : undefined
        if (place === undefined || !Number.isNaN(heardAt[place])) throw new Error(`${name} ${body?.holdId} is strange.`)
        heardAt[place] = now
        missing -= 1
      }
    }
    await listener.close()
    return heardAt
  }
  const all = listen()
  all.catch(() => {})
  return { all: () => all }
}
