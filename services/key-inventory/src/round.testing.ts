import { inTransaction, type Message, type openDatabase, type Saying, type Tx } from '@coding-plans/runtime'
import { decide } from './handlers.ts'
import type { Inventory } from './inventory.ts'
import { stockEvents } from './stock-events.ts'
import { type Store, sqlStore } from './store.ts'

// A key opens to what locks it: nothing is encrypted here.
export const decisions = decide({ open: ({ ciphertext }) => Buffer.from(ciphertext) })

/** A store, and how its transactions are made. */
export interface Kept {
  readonly store: Store
  /** @throws what `act` throws; nothing of it is kept then. */
  transaction<T>(act: (tx: Tx) => Promise<T>): Promise<T>
}

/** What the runtime does with a round, without delivery. */
export const roundWith = ({ store, transaction }: Kept, messages: readonly Message[]): Promise<Saying[]> =>
  transaction(async (tx) => {
    const inventory = await store.load(tx, messages)
    const said = messages.flatMap((one) =>
      (decisions[one.name as keyof typeof decisions] as (state: Inventory, message: Message) => Saying[])(
        inventory,
        one,
      ),
    )
    const whole = stockEvents(inventory)
    await store.save(tx, inventory)
    return [...said, ...whole]
  })

export const roundOn = (knex: ReturnType<typeof openDatabase>, ...messages: Message[]) =>
  roundWith({ store: sqlStore, transaction: (act) => inTransaction(knex, act) }, messages)
