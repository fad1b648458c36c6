import { type House, openHouse, openShop, USD } from '@coding-plans/e2e/house'
import { type Clients, openClients } from '../clients.ts'
import { cloneLives, livedTemplate, type Template } from '../clones.ts'
import { queryOf } from '../databases.ts'
import { daysOf, measureDue } from '../due.ts'
import { type Figure, latencyOf } from '../figure.ts'
import { fundUsers, houseDisks, stockKeys } from '../shop.ts'
import { between, look, processesOf } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Does it slow down with what is there already? Purchases, renewals and a start, beside ever more subscriptions that live.

interface Scale {
  /** How many live subscriptions there are beside those that are measured. */
  readonly existing: readonly number[]
  readonly due: number
  readonly buyers: number
  readonly seconds: number
}

const SCALES: Record<Size, Scale> = {
  quick: { existing: [1_000, 20_000], due: 1_000, buyers: 2_000, seconds: 3 },
  full: { existing: [1_000, 100_000, 1_000_000], due: 10_000, buyers: 8_000, seconds: 10 },
}
const PRICE = 20 * USD
const CLIENTS = 32
const WARM_UP_SECONDS = 3
/** Nothing of it is due as long as anything is measured. */
const LONG = { unit: 'month', count: 60 } as const

interface Measuring {
  readonly house: House
  readonly clients: Clients
  readonly scale: Scale
  /** Of those that are not due. */
  readonly later: Template
  readonly say: (line: string) => void
}

const liveIn = async (house: House): Promise<number> => {
  const [row] = await queryOf(
    house,
    'subscription',
    `select count(*)::int as n from subscriptions where status = 'active'`,
  )
  return row.n
}

const named = (count: number) => (count >= 1_000_000 ? `${count / 1_000_000} million` : `${count / 1_000} thousand`)

/** Stopped and started again: the limit is 30 s. */
const measureRestart = async (house: House, variant: string): Promise<Figure> => {
  await house.stack.stop()
  const began = performance.now()
  await house.restart()
  const seconds = (performance.now() - began) / 1_000
  const [processes, disks] = [processesOf(house.stack), houseDisks(house)]
  const after = await look(processes, disks)
  // The processes are new: what they have used, the start has used.
  const { cpu } = between(processes, { ...after, cpuSeconds: [] }, after, 1)
  return { workload: 'growth', variant, unit: 'restarts', units: 1, seconds, perSecond: 1 / seconds, cpu, disk: [] }
}

const measurePurchases = async ({ house, clients, scale }: Measuring, variant: string): Promise<Figure> => {
  const { buyers, seconds } = scale
  const { planId } = await openShop(house, { price: PRICE, keys: 0, period: LONG })
  await stockKeys(house, planId, buyers)
  const users = Array.from({ length: buyers }, (_, n) => `buyer-of-${planId}-${n}`)
  await fundUsers(house, users, PRICE)
  const { url, secrets } = house.stack
  const order = { url, authSecret: secrets.AUTH_JWT_SECRET, planId, load: { clients: CLIENTS } }
  const buyAll = async (by: readonly string[], within: number) => {
    const load = await clients.prepare({ ...order, users: by, seconds: within })
    return async () => {
      const outcome = await load.run()
      for (const { user, status, body } of outcome.refusals) throw new Error(`${user} was answered ${status} ${body}`)
      return outcome
    }
  }
  const warmUp = await (await buyAll(users, WARM_UP_SECONDS))()
  const run = await buyAll(users.slice(warmUp.bought), seconds)
  const [processes, disks] = [processesOf(house.stack), houseDisks(house)]
  const before = await look(processes, disks)
  const { bought, seconds: took, milliseconds } = await run()
  const after = await look(processes, disks)
  const [sold] = await queryOf(
    house,
    'subscription',
    'select count(*)::int as n from subscriptions where plan_id = $1',
    [planId],
  )
  if (sold.n !== warmUp.bought + bought) throw new Error(`${sold.n} were sold, ${warmUp.bought + bought} answered.`)
  return {
    ...{ workload: 'growth', variant, unit: 'purchases', units: bought, seconds: took, perSecond: bought / took },
    latency: latencyOf(milliseconds),
    ...between(processes, before, after, bought),
  }
}

const measureBeside = async (measuring: Measuring, stage: number): Promise<Figure[]> => {
  const { house, scale, later, say } = measuring
  const existing = scale.existing[stage] as number
  const variant = `beside ${named(existing)}`
  const period = { unit: 'day', count: daysOf(stage, scale.existing.length) } as const
  const template = await livedTemplate(house, { price: PRICE, terms: 3, period })
  const more = Math.max(0, existing + 1 - (await liveIn(house)))
  const began = performance.now()
  const parts = [
    { template: later, count: more },
    { template, count: scale.due - 1 },
  ]
  const [, users = []] = await cloneLives(house, parts)
  say(`${variant}: ${more + scale.due} made in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  const restart = await measureRestart(house, variant)
  say(`${variant}: ready ${restart.seconds.toFixed(1)} s after a restart`)
  const purchases = await measurePurchases(measuring, variant)
  say(`${variant}: ${purchases.perSecond.toFixed(0)} purchases/s`)
  const due = { template, count: scale.due, users, left: PRICE }
  const renewals = await measureDue(house, due, { workload: 'growth', variant })
  say(`${variant}: ${renewals.perSecond.toFixed(0)} renewals/s`)
  return [purchases, renewals, restart]
}

export const growth: Workload = {
  name: 'growth',
  run: async (size, say) => {
    const house = await openHouse({ clock: 'test' })
    const clients = openClients()
    try {
      const later = await livedTemplate(house, { price: PRICE, terms: 2, period: LONG })
      const figures: Figure[] = []
      for (const [stage] of SCALES[size].existing.entries())
        figures.push(...(await measureBeside({ house, clients, scale: SCALES[size], later, say }, stage)))
      return figures
    } finally {
      await clients.close()
      await house.close()
    }
  },
}
