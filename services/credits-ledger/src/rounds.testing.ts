import { inTransaction, type Message, type Saying } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import type { Command } from './book.testing.ts'
import { handler } from './handlers.ts'
import type { Ledger } from './ledger.ts'

export type Asked = { [Name in Command]: [Name, Bodies[Name]] }[Command]

/** What the runtime does with a round, without delivery; what it says but for what is more available, and what it calls. The first command has this time, each other a millisecond more. */
export const roundAt = (knex: Knex, time: number, asked: readonly Asked[]): Promise<Saying[]> =>
  inTransaction(knex, async (tx) => {
    const messages = asked.map(
      ([name, body], place) => message(name, body as never, { time: instant(time + place) }) as Message,
    )
    const ledger = await handler.load(tx, messages)
    const said = messages.flatMap((one) =>
      (handler.decide[one.name] as (ledger: Ledger, message: Message) => Saying[])(ledger, one),
    )
    await handler.save(tx, ledger)
    return said.filter((one) => 'name' in one && one.name !== 'AvailableIncreased')
  })
