import { openDatabases } from '@coding-plans/local/bed'
import { insertRows, inTransaction, type Message, migrate, openDatabase, openLog } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { Acceptor } from '../acceptor.ts'
import { pageAsked } from '../cursor.ts'
import { T0 } from '../events.testing.ts'
import { decide } from '../handlers.ts'
import { migrations } from '../migrations/index.ts'
import { acceptingStore } from './accepting.ts'
import { answeringStore } from './answering.ts'
import { activation, operationRow, statesOf } from './kept.testing.ts'
import { load, save } from './projecting.ts'
import { readingStore } from './reading.ts'

/** The gateway's own database on a real server, and what a test does to it. */
export const openGatewayDatabase = async () => {
  const databases = await openDatabases()
  const url = await databases.createDatabase('gateway_store')
  await migrate(url, migrations)
  const knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 }, 20)
  const appended: string[] = []

  /** Project these events as one round. */
  const learn = (...messages: Message[]) =>
    inTransaction(knex, async (tx) => {
      const models = await load(tx, messages)
      for (const message of messages) {
        const project = decide[message.name] as (state: unknown, message: Message) => unknown
        project(models, message)
      }
      await save(tx, models)
    })

  const begin = (...ids: string[]) =>
    insertRows(
      knex,
      'operations',
      ids.map((id) => operationRow(id)),
    )

  return {
    knex,
    appended,
    learn,
    begin,
    reading: readingStore(knex),
    shown: (id: string) => readingStore(knex).operation(id),
    stock: async () => {
      const [row] = await readingStore(knex).stock('acme-coding')
      return { available: row?.available ?? 0, keys: statesOf(await readingStore(knex).keys({}, pageAsked({}, 100))) }
    },
    answers: answeringStore(knex).answers,
    /** A gateway process, as far as accepting goes. */
    instance: (refuses: (planId: string) => boolean = () => false) => {
      const store = acceptingStore(
        knex,
        async (_tx, sayings) => {
          if (sayings.some(({ body }) => refuses((body as { planId: string }).planId))) throw new Error('too large')
          appended.push(...sayings.map(({ cause }) => cause ?? ''))
          return () => {}
        },
        async () => instant(T0),
      )
      return new Acceptor(store, openLog('gateway', 'silent'))
    },
    /** All that an activation under this operation causes. */
    activate: async (operationId: string) => {
      await begin(operationId)
      await learn(...activation(operationId))
    },
    empty: async () => {
      appended.length = 0
      await knex.raw(`truncate operations, idempotency_keys, plans, plan_versions, stock, keys, subscriptions, charges,
        accounts, movements, slots, clock, audit, auto_top_ups, wishes, notifications, deleted_users, listed_letters`)
      await knex.raw('update answers set number = 0')
    },
    close: async () => {
      await knex.destroy()
      await databases.close()
    },
  }
}
export type GatewayDatabase = Awaited<ReturnType<typeof openGatewayDatabase>>
