import { join } from 'node:path'
import { fresh, type House, openShop, uploadKeys } from '@coding-plans/e2e/house'
import { eventually, Speaker } from '@coding-plans/runtime/testing'
import { microdollars, userId } from '@coding-plans/schemas'
import { type Rounds, roundsOf } from './rounds.ts'
import { type Disks, type Process, processesOf } from './usage.ts'

/** Where plans are bought: our house, or the baseline. */
export interface Shop {
  /** Goes before a variant's name; empty for ours. */
  readonly name: string
  readonly url: string
  readonly authSecret: string
  readonly processes: readonly Process[]
  readonly disks: Disks
  /** Nothing where work is not cut into rounds. */
  readonly rounds: () => Promise<readonly Rounds[]>
  /** Where subscriptions and the ledger lie; perhaps in one database. */
  readonly databases: { readonly subscriptions: string; readonly ledger: string }
  /** Puts a plan of a provider of its own on sale, so that any user may buy it. @returns its id */
  readonly offer: (price: number, keys: number) => Promise<string>
  readonly fund: (users: readonly string[], amountEach: number) => Promise<void>
  readonly close: () => Promise<void>
}

const MOST_KEYS_IN_AN_UPLOAD = 1_000
const UPLOADS_AT_ONCE = 3
const FUNDED_WITHIN_MILLISECONDS = 120_000

/** Uploads are sealed in the gateway and opened in the inventory: more of them at once only wait. */
export const stockKeys = async (house: House, planId: string, count: number): Promise<void> => {
  let left = count
  const upload = async () => {
    while (left > 0) {
      const size = Math.min(left, MOST_KEYS_IN_AN_UPLOAD)
      left -= size
      await uploadKeys(house, planId, size)
    }
  }
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, upload))
}

/** A grant to each, said to the ledger in the gateway's name: by HTTP it would take longer than what is measured. */
export const fundUsers = async (house: House, users: readonly string[], amountEach: number): Promise<void> => {
  const speaker = await new Speaker('gateway', house.stack.servers).open()
  try {
    const records = users.map((user) => {
      const operationId = fresh('op')
      const grant = { creditKind: 'grant', reason: 'a measurement', actor: 'admin-1' } as const
      const body = { userId: userId(user), operationId, amount: microdollars(amountEach), ...grant }
      return speaker.record('PostCredits', body, { cause: operationId, correlationId: operationId })
    })
    await speaker.say(records)
    // A lane keeps its order, in the ledger and in the gateway: its last user is shown last.
    const lastOfLanes = new Map(records.map(({ lane, key }) => [lane, key]))
    for (const user of lastOfLanes.values())
      await eventually(
        async () => (await house.admin(`GET /admin/users/${user}/credits`)).body.balanceMicrodollars,
        (balance) => balance >= amountEach,
        FUNDED_WITHIN_MILLISECONDS,
      )
  } finally {
    await speaker.close()
  }
}

export const houseDisks = ({ stack, dataDir }: House): Disks => ({
  databaseUrl: stack.servers.databaseUrl('postgres'),
  kafkaDirectory: join(dataDir, 'kafka'),
})

export const houseShop = (house: House): Shop => {
  const { url, secrets, servers } = house.stack
  return {
    name: '',
    url,
    authSecret: secrets.AUTH_JWT_SECRET,
    processes: processesOf(house.stack),
    disks: houseDisks(house),
    rounds: () => roundsOf(house.stack),
    databases: {
      subscriptions: servers.databaseUrl('coding_plans_subscription'),
      ledger: servers.databaseUrl('coding_plans_credits_ledger'),
    },
    offer: async (price, keys) => {
      const { planId } = await openShop(house, { price, keys: 0 })
      await stockKeys(house, planId, keys)
      return planId
    },
    fund: (users, amountEach) => fundUsers(house, users, amountEach),
    close: async () => {},
  }
}
