import { inTransaction, type Message, type Saying, type Tx } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Command } from './book.testing.ts'
import { handler } from './handlers.ts'
import type { Ledger } from './ledger.ts'
import { type Store, sqlStore } from './store.ts'

export type Asked = { [Name in Command]: [Name, Bodies[Name]] }[Command]

/** A store, and what it takes to look into it. */
export interface Kept {
  readonly store: Store
  /** @throws what `act` throws; nothing of it is kept then. */
  transaction<T>(act: (tx: Tx) => Promise<T>): Promise<T>
}

/**
 * What the runtime does with a round, without delivery; what it says but for what is more available, and what it calls.
 * The first command has this time, each other a millisecond more.
 */
export const roundOn =
  ({ store, transaction }: Kept) =>
  (time: number, asked: readonly Asked[]): Promise<Saying[]> =>
    transaction(async (tx) => {
      const messages = asked.map(
        ([name, body], place) => message(name, body as never, { time: instant(time + place) }) as Message,
      )
      const ledger = await store.load(tx, messages)
      const said = messages.flatMap((one) =>
        (handler.decide[one.name] as (ledger: Ledger, message: Message) => Saying[])(ledger, one),
      )
      await store.save(tx, ledger)
      return said.filter((one) => 'name' in one && one.name !== 'AvailableIncreased')
    })

export const roundAt = (knex: Knex, time: number, asked: readonly Asked[]) =>
  roundOn({ store: sqlStore, transaction: (act) => inTransaction(knex, act) })(time, asked)
