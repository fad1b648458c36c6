import { inTransaction, type Message, type openDatabase, type Saying } from '@coding-plans/runtime'
import { decide } from './handlers.ts'
import type { Inventory } from './inventory.ts'
import { stockEvents } from './stock-events.ts'
import { load, save } from './store.ts'

// A key opens to what locks it: nothing is encrypted here.
export const decisions = decide({ open: ({ ciphertext }) => Buffer.from(ciphertext) })

/** What the runtime does with a round, without delivery. */
export const roundOn = (knex: ReturnType<typeof openDatabase>, ...messages: Message[]): Promise<Saying[]> =>
  inTransaction(knex, async (tx) => {
    const inventory = await load(tx, messages)
    const said = messages.flatMap((one) =>
      (decisions[one.name as keyof typeof decisions] as (state: Inventory, message: Message) => Saying[])(
        inventory,
        one,
      ),
    )
    const whole = stockEvents(inventory)
    await save(tx, inventory)
    return [...said, ...whole]
  })
