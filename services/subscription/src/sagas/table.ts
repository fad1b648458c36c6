import type { Saying } from '@coding-plans/runtime'
import type { Bodies, Instant } from '@coding-plans/schemas'
import type { Books } from '../books.ts'
import type { Deadline, Due } from '../domain/due.ts'
import type { Ending, Grant, Memories, Saga, SagaKind } from './saga.ts'

type Answers = Pick<
  Bodies,
  | 'CreditsHeld'
  | 'HoldDeclined'
  | 'HoldCaptured'
  | 'HoldReleased'
  | 'CreditsRefunded'
  | 'KeyAssigned'
  | 'KeyDeclined'
  | 'KeyRemoved'
  | 'KeysUnlinked'
  | 'AccountClosed'
  | 'AutoTopUpSet'
  | 'CreditsToppedUp'
  | 'TopUpDeclined'
  | 'TopUpUnanswered'
  | 'CommandFailed'
>

/** The columns: what a saga can hear. */
export interface Hearings extends Answers {
  Begun: null
  /** Its user has more: how much is the ledger's to judge. */
  AvailableIncreased: Pick<Bodies['AvailableIncreased'], 'cause'>
  /** Its subscription's term is over. */
  PeriodEnded: Due
  /** The time that an unpaid term was given is over. */
  DeadlineReached: Deadline
  /** Its subscription is to end now. */
  EndAsked: Ending
  /** Its subscription is given days. */
  DaysAsked: Grant
  /** Its user is to be deleted. */
  ErasureAsked: null
  /** Another saga of the user, or what follows from it, has come to its end. */
  SagaOver: null
}
export type Heard = keyof Hearings

/** What is needed to begin a saga. */
export interface Beginning<Kind extends SagaKind>
  extends Pick<Saga, 'id' | 'userId' | 'providerId' | 'subscriptionId'> {
  readonly kind: Kind
  readonly memory: Memories[Kind]
}

/** Where sagas play: what a consequence needs. */
export interface Stage {
  readonly books: Books
  readonly at: Instant
  readonly begin: <Kind extends SagaKind>(beginning: Beginning<Kind>) => Saying[]
  readonly tell: <Name extends Heard>(saga: Saga, name: Name, heard: Hearings[Name]) => Saying[]
}

/** What a cell may look at. */
export interface Step<Memory, Name extends Heard = Heard> extends Stage {
  readonly saga: Saga<Memory>
  readonly heard: Hearings[Name]
}

type Act<Memory, Name extends Heard, Outcome> = (step: Step<Memory, Name>) => Outcome
type OneOrMore<T> = T | readonly T[]

/** Where to go; then, in this order: what to remember, what changes in the books, what to say, and what follows from it. */
export interface Cell<State, Memory, Name extends Heard> {
  readonly to: State
  readonly learn?: OneOrMore<Act<Memory, Name, Partial<Memory>>>
  readonly change?: OneOrMore<Act<Memory, Name, void>>
  readonly send?: OneOrMore<Act<Memory, Name, Saying>>
  /** The same step once more, after a while: what is decided goes only forward. */
  readonly again?: OneOrMore<(step: { readonly saga: Saga<Memory> }) => Saying>
  readonly follow?: Act<Memory, Name, Saying[]>
}

/** Two ways, and what they hang on. A way may fork again. */
export interface Fork<State, Memory, Name extends Heard> {
  readonly when: Act<Memory, Name, boolean>
  readonly yes: Cell<State, Memory, Name>
  readonly no: Cell<State, Memory, Name> | Fork<State, Memory, Name>
}

/** What is not written is impossible: it throws. What is late but harmless is written down as `ignore`. */
export type Entry<State, Memory, Name extends Heard> = Cell<State, Memory, Name> | Fork<State, Memory, Name> | 'ignore'

export type Row<State, Memory> = { readonly [Name in Heard]?: Entry<State, Memory, Name> }

/** States down, messages across. */
export interface SagaTable<State extends string, Memory> {
  readonly begins: Exclude<Entry<State, Memory, 'Begun'>, 'ignore'>
  readonly states: { readonly [Name in State]: Row<State, Memory> }
}

/** The ways that an entry may take, each with the last condition on it; none for what is ignored. */
export const waysOf = <State, Memory, Name extends Heard>(
  entry: Entry<State, Memory, Name>,
): { readonly cell: Cell<State, Memory, Name>; readonly guard: string }[] => {
  if (entry === 'ignore') return []
  if ('to' in entry) return [{ cell: entry, guard: '' }]
  const { when, yes, no } = entry
  const otherwise = 'to' in no ? [{ cell: no, guard: `not ${when.name}` }] : waysOf<State, Memory, Name>(no)
  return [{ cell: yes, guard: when.name }, ...otherwise]
}
