import { keyStates, type Lane } from './facts.ts'

/** Name of a total → what it comes to. */
export type Totals = Readonly<Record<string, number>>

/** What all lanes together come to, by the names under which the databases are asked. */
export const totalsOf = (lanes: readonly Lane[]): Totals => {
  const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0)
  const live = sum((lane) => lane.live)
  return {
    'ledger balance': sum(({ balance }) => balance),
    'ledger held': sum(({ held }) => held),
    'gateway balance': sum(({ shown }) => shown.balance),
    'gateway held': sum(({ shown }) => shown.held),
    'subscription live': live,
    'gateway live': live,
    ...Object.fromEntries(keyStates.map((state) => [`inventory ${state}`, sum(({ keys }) => keys[state])])),
  }
}
