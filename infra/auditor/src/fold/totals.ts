import type { Facts } from './facts.ts'
import { keyStates, type Lane } from './kinds.ts'

/** Name of a total → what it comes to. */
export type Totals = Readonly<Record<string, number>>

/** Where an event is counted: with its user, and with its lane. */
interface Place {
  readonly userId: string
  readonly lane: number
}

/** One line more on a statement. */
export const countEntry = (facts: Facts, { userId, lane }: Place) => {
  const subject = facts.of('subject', userId)
  subject.entries += 1
  if (!subject.deleted) facts.of('lane', String(lane)).shown.entries += 1
}

/** One subscription more was begun. */
export const countBegun = (facts: Facts, { userId, lane }: Place) => {
  const [subject, total] = [facts.of('subject', userId), facts.of('lane', String(lane))]
  subject.begun += 1
  total.begun += 1
  if (!subject.deleted) total.shown.begun += 1
}

/** One line more on the list of a subscription’s charges. */
export const countCharged = (facts: Facts, { userId, lane }: Place) => {
  const subject = facts.of('subject', userId)
  subject.charged += 1
  if (!subject.deleted) facts.of('lane', String(lane)).shown.charged += 1
}

/** What all lanes together come to, by the names under which the databases are asked. */
export const totalsOf = (lanes: readonly Lane[]): Totals => {
  const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0)
  const live = sum((lane) => lane.live)
  return {
    'ledger balance': sum(({ balance }) => balance),
    'ledger held': sum(({ held }) => held),
    'ledger postings': sum(({ postings }) => postings),
    'subscription begun': sum(({ begun }) => begun),
    'subscription terms': sum(({ terms }) => terms),
    'gateway entries': sum(({ shown }) => shown.entries),
    'gateway begun': sum(({ shown }) => shown.begun),
    'gateway charges': sum(({ shown }) => shown.charged),
    'gateway balance': sum(({ shown }) => shown.balance),
    'gateway held': sum(({ shown }) => shown.held),
    'subscription live': live,
    'gateway live': live,
    ...Object.fromEntries(keyStates.map((state) => [`inventory ${state}`, sum(({ keys }) => keys[state])])),
  }
}
