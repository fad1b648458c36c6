import type { Finding, Passing } from './checks.ts'
import { type DueKind, type Fact, keyStates, type Stock, type Subject, type Subscription } from './kinds.ts'

/** Asked and not answered; the other half, an answer that came before its question was heard, is none of anybody's business. */
export const ASKED = ''
/** Of a top-up that was asked for while it is switched off. */
export const NO_ATTEMPT = ''

/** More than one of the same term, which must not be (TOP-1). */
export const triedTwice = (id: string, term: string, topUpIds: readonly string[]): Finding => ({
  check: 'one_top_up_per_term',
  detail: `for ${term} of ${id} top-ups ${topUpIds.join(' and ')} are asked for`,
})

const topUpsOf = (id: string, topUps: Subject['topUps']): Passing[] => {
  const tries = Map.groupBy(Object.keys(topUps), (topUpId) => topUps[topUpId] as string)
  tries.delete(NO_ATTEMPT)
  return [...tries]
    .filter(([, topUpIds]) => topUpIds.length > 1)
    .map(([term, topUpIds]) => ({ ...triedTwice(id, term, topUpIds), about: `top-ups ${term}` }))
}

const slotsOf = (id: string, slots: Subject['slots']): Passing[] =>
  Object.entries(slots).flatMap(([provider, { version, missing }]) =>
    missing.map(
      (one): Passing => ({
        check: 'one_key_per_slot',
        about: `slot ${provider} ${one}`,
        detail: `change ${one} of the slot of ${id} at ${provider} is missing, and change ${version} was heard`,
      }),
    ),
  )

const inWords: Readonly<Record<DueKind, string>> = {
  period_ended: 'the due term',
  grace_ended: 'the end of the grace for the due term',
  top_up_wait_ended: 'the end of the wait for a top-up for the due term',
}

const ofSubject = (
  id: string,
  { version, missing, holds, charges, slots, operations, due, topUps }: Subject,
): Passing[] => [
  ...topUpsOf(id, topUps),
  ...slotsOf(id, slots),
  ...missing.map(
    (posting): Passing => ({
      check: 'postings_add_up',
      about: `posting ${posting}`,
      detail: `posting ${posting} of ${id} is missing, and posting ${version} was heard`,
    }),
  ),
  ...Object.entries(holds).map(
    ([hold, amount]): Passing => ({
      check: 'nothing_hangs',
      about: `hold ${hold}`,
      detail: `hold ${hold} of ${id} over ${amount} is open`,
    }),
  ),
  ...Object.entries(charges).map(
    ([charge, { amount, side }]): Passing => ({
      check: 'charge_has_its_term',
      about: `charge ${charge}`,
      detail:
        side === 'taken'
          ? `charge ${charge} of ${id} over ${amount} has no term`
          : `a term of ${id} names charge ${charge} over ${amount}, which is not there`,
    }),
  ),
  ...Object.entries(operations)
    .filter(([, command]) => command !== ASKED)
    .map(
      ([operation, command]): Passing => ({
        check: 'nothing_hangs',
        about: `operation ${operation}`,
        detail: `${command} of ${id} is not answered (operation ${operation})`,
      }),
    ),
  ...Object.entries(due).flatMap(([subscription, open]) =>
    Object.entries(open).map(
      ([kind, boundary]): Passing => ({
        check: 'nothing_hangs',
        // A long advance goes from one to the next, each of which has its own time.
        about: `due ${subscription} ${kind} ${boundary}`,
        detail: `${inWords[kind as DueKind]} of ${subscription} at ${new Date(boundary).toISOString()} is not answered`,
      }),
    ),
  ),
]

const refundOf = (id: string, { userId, paid }: Subscription): Passing[] =>
  paid < 0
    ? [
        {
          check: 'charge_has_its_term',
          about: 'refund',
          detail: `${userId} is given back ${-paid} more than ${id} was paid`,
        },
      ]
    : []

const accessOf = (id: string, { state, inSlot, userId }: Subscription): Passing[] => {
  const access = (detail: string): Passing[] => [{ check: 'access_follows_subscription', about: 'access', detail }]
  if (state === 'live' && !inSlot) return access(`${id} of ${userId} is live, and its key is not in the slot`)
  if (state === 'ended' && inSlot) return access(`${id} of ${userId} has ended, and its key is in the slot`)
  if (state === 'unknown' && inSlot) return access(`the key of ${id} is in a slot, and there is no such subscription`)
  if (state === 'ending') return [{ check: 'nothing_hangs', about: 'end', detail: `the end of ${id} is under way` }]
  return []
}

const ofStock = (id: string, { version, told, counts, uploaded }: Stock): Passing[] => {
  const wrong = keyStates.find((state) => told[state] !== counts[state])
  const there = keyStates.reduce((sum, state) => sum + counts[state], 0)
  return [
    ...(wrong
      ? [
          {
            check: 'keys_add_up',
            about: 'counts',
            detail: `${id} says that ${told[wrong]} keys are ${wrong} (version ${version}), and it is ${counts[wrong]}`,
          } as const,
        ]
      : []),
    ...(there === uploaded
      ? []
      : [
          {
            check: 'keys_add_up',
            about: 'sum',
            detail: `${uploaded} keys of ${id} were uploaded, and there are ${there}`,
          } as const,
        ]),
  ]
}

/** What is not as it must be in the end, as things are now. */
export const passingOf = ({ kind, id, value }: Fact): Passing[] => {
  if (kind === 'subject') return ofSubject(id, value as Subject)
  if (kind === 'subscription') return [...accessOf(id, value as Subscription), ...refundOf(id, value as Subscription)]
  if (kind === 'stock') return ofStock(id, value as Stock)
  return []
}

/** What must never be so, and is or was. */
export const findingsOf = ({ value }: Fact): readonly Finding[] => ('findings' in value ? value.findings : [])
