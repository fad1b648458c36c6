import type { Message } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { Broker } from './broker.ts'
import type { Random } from './random.ts'
import type { Station } from './station.ts'

/** What breaks, and how often. All at zero: a day on which everything works. */
export interface Faults {
  /** A message that cannot be decided; when it is sent again it can. */
  readonly poison: number
  /** A send whose acknowledgement is lost: everything is sent again. */
  readonly lostAcknowledgement: number
}
export const noFaults: Faults = { poison: 0, lostAcknowledgement: 0 }

/** Ways in which the runtime itself may be wrong; planted, to see that it would be found. */
export interface RuntimeBugs {
  readonly forgetsSeen: boolean
  readonly publishesBeforeItCommits: boolean
  readonly ignoresEpochs: boolean
}

export interface Surroundings {
  readonly broker: Broker
  readonly random: Random
  readonly mode: 'system' | 'test'
  readonly wallClock: () => Instant
  faults: () => Faults
  readonly bugs: RuntimeBugs
  readonly tell: (line: string) => void
  /** A round was kept; what it decided. */
  readonly kept: (station: Station, messages: readonly Message[]) => void
}
