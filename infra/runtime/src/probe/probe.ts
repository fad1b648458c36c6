import { microdollars, type UserId } from '@coding-plans/schemas'
import {
  type Calls,
  type Decide,
  type Handler,
  type LaneWork,
  type Message,
  type Migration,
  type Saying,
  say,
  type Tx,
} from '../index.ts'
import { insertRows, select } from '../sql.ts'

/** The smallest service that can lose, double or disorder something: it writes down each command and numbers them per user. */
export const migrations: readonly Migration[] = [
  {
    name: '001_taken',
    up: `create table taken (
      place bigint generated always as identity primary key,
      user_id text not null,
      hold_id text not null check (hold_id <> 'impossible for the database'),
      number bigint not null
    );
    create table told (user_id text primary key)`,
  },
]

interface State {
  readonly numbers: Map<string, number>
  readonly taken: { userId: string; holdId: string; number: number }[]
}

const load = async (tx: Tx, messages: readonly Message[]): Promise<State> => {
  const users = [...new Set(messages.map(({ key }) => key))]
  const rows = await select<{ userId: string; number: number }>(
    tx,
    'select user_id, max(number) as number from taken where user_id = any(?) group by user_id',
    [users],
  )
  return { numbers: new Map(rows.map(({ userId, number }) => [userId, number])), taken: [] }
}

/** Makes a command call out instead of answering. */
export const CALLS_OUT = 'calls-out'

const decideFor = (name: string, mended: () => boolean): Decide<State> => ({
  HoldCredits: (state, { body: { userId, holdId, amount } }) => {
    // One topic serves all tests of a file; each has users of its own.
    if (!userId.startsWith(name)) return []
    if (holdId === 'impossible' && !mended()) throw new Error('This cannot be.')
    if (holdId.startsWith(CALLS_OUT)) return [{ call: 'ask', request: { userId, holdId } }]
    const number = (state.numbers.get(userId) ?? 0) + 1
    state.numbers.set(userId, number)
    state.taken.push({ userId, holdId, number })
    return [say('CreditsHeld', { userId, holdId, amount, balance: microdollars(0), held: amount, version: number })]
  },
})

/** Lane work that tells of each user once, without any message. */
export const tellingWork = (name: string): LaneWork => ({
  name: 'telling',
  everyMilliseconds: 100,
  run: async (tx) => {
    const users = await select<{ userId: UserId }>(
      tx,
      `insert into told (user_id) select distinct user_id from taken where user_id like ?
       on conflict do nothing returning user_id`,
      [`${name}%`],
    )
    const nothing = { balance: microdollars(0), held: microdollars(0), version: 1 }
    return users.map(({ userId }) =>
      say('HoldReleased', { userId, holdId: 'told', ...nothing }, { cause: `told|${userId}` }),
    )
  },
})

/** Makes a command that cannot be prepared, and so not read. */
export const SEALED = 'sealed'

export interface ProbeOptions {
  /** Whether what cannot be, or be prepared, can be by now. */
  readonly mended?: () => boolean
  /** Its own cell for what it cannot handle. */
  readonly onFailure?: (failure: Message<'CommandFailed'>) => Saying[]
  /** Called in the transaction, before it is saved. */
  readonly calls?: Calls
  readonly beforeSave?: (taken: readonly { userId: string; holdId: string }[]) => Promise<void>
}

/** A service whose users' ids begin with its name. */
export const probe = (
  name: string,
  { beforeSave, calls, mended = () => false, onFailure }: ProbeOptions = {},
): Handler<State> => ({
  load,
  prepare: {
    HoldCredits: async ({ body: { userId, holdId } }) => {
      if (userId.startsWith(name) && holdId === SEALED && !mended()) throw new Error('This cannot be opened.')
    },
  },
  decide: {
    ...decideFor(name, mended),
    ...(onFailure ? { CommandFailed: (_: State, failure: Message<'CommandFailed'>) => onFailure(failure) } : {}),
  },
  ...(calls ? { calls } : {}),
  save: async (tx, { taken }) => {
    await beforeSave?.(taken)
    await insertRows(tx, 'taken', taken)
  },
})
