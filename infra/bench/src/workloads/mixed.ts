import { type House, openHouse, USD } from '@coding-plans/e2e/house'
import { pause } from '@coding-plans/runtime'
import { auditBooks, auditSample } from '../audit.ts'
import { type Clients, openClients } from '../clients.ts'
import { cloneLife, livedTemplate, type Template } from '../clones.ts'
import { queryOf } from '../databases.ts'
import { advance, checkRenewed } from '../due.ts'
import { type Figure, latencyOf } from '../figure.ts'
import { houseShop } from '../shop.ts'
import { between, look } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Users buy while many others' terms are due: nobody who clicks may wait for those who are asleep.

const TERMS: Record<Size, number> = { quick: 2_000, full: 100_000 }
/** Longer than the renewals take; the purchases end with them. */
const AT_MOST_SECONDS: Record<Size, number> = { quick: 120, full: 900 }
const RATE_PER_SECOND = 50
const WARM_UP_SECONDS = 2
const PRICE = 20 * USD
const TARGET_MILLISECONDS = 500
const LOOK_EVERY_MILLISECONDS = 200
const JUST_BEFORE_MILLISECONDS = 60_000
const GIVE_UP_AFTER_MILLISECONDS = 3_600_000

const shownRenewals = async (house: House, { boundary, planId }: Template): Promise<number> => {
  const [row] = await queryOf(
    house,
    'gateway',
    `select count(*)::int as number from subscriptions where plan_id = $1 and current_period_start >= $2`,
    [planId, boundary],
  )
  return row.number
}

/** Begins to move the clock to the boundary. @returns the seconds until all `count` renewals are shown */
const renewAll = async (house: House, template: Template, count: number): Promise<number> => {
  const began = performance.now()
  // Its own answer would come when nothing is under way any more, and here something always is.
  const body = { to: new Date(template.boundary).toISOString() }
  const { status } = await house.admin('POST /admin/clock/advance', { body, headers: { prefer: 'wait=0' } })
  if (status !== 202 && status !== 200) throw new Error(`The advance answered ${status}`)
  for (;;) {
    const shown = await shownRenewals(house, template)
    if (shown === count) return (performance.now() - began) / 1_000
    if (performance.now() - began > GIVE_UP_AFTER_MILLISECONDS)
      throw new Error(`${shown} of ${count} renewals are shown.`)
    await pause(LOOK_EVERY_MILLISECONDS)
  }
}

const measure = async (house: House, clients: Clients, size: Size, say: (line: string) => void): Promise<Figure[]> => {
  const shop = houseShop(house)
  const { url, authSecret } = shop
  const count = TERMS[size]
  const template = await livedTemplate(house, { price: PRICE, terms: 2 })
  const { users: sleepers } = await cloneLife(house, template, count - 1)
  const buyers = Array.from({ length: AT_MOST_SECONDS[size] * RATE_PER_SECOND }, (_, n) => `buyer-${n}`)
  await shop.fund(buyers, PRICE)
  const planId = await shop.offer(PRICE, buyers.length)
  await advance(house, template.boundary - JUST_BEFORE_MILLISECONDS)
  say(`${count} terms are due in a minute`)

  const order = { url, authSecret, planId, load: { perSecond: RATE_PER_SECOND } }
  const run = async (users: readonly string[], seconds: number, until?: Promise<unknown>) => {
    const load = await clients.prepare({ ...order, users, seconds })
    until?.then(load.end, load.end)
    const outcome = await load.run()
    const [refusal] = outcome.refusals
    if (refusal) throw new Error(`${refusal.user} was answered ${refusal.status} ${refusal.body}`)
    return outcome
  }
  const warmUp = await run(buyers, WARM_UP_SECONDS)
  const processes = [...shop.processes, { name: 'load', pid: clients.pid }]
  const before = await look(processes, shop.disks)
  const renewing = renewAll(house, template, count)
  const bought = await run(buyers.slice(warmUp.bought), AT_MOST_SECONDS[size], renewing)
  const seconds = await renewing
  const after = await look(processes, shop.disks)
  say(`${count} renewed in ${seconds.toFixed(1)} s, meanwhile ${bought.bought} bought`)

  await advance(house, template.boundary + 1)
  await checkRenewed(house, { template, count, users: sleepers, left: 0 })
  const sold = new Map([[planId, warmUp.bought + bought.bought]])
  const funded = PRICE * (buyers.length + 2 * count)
  await auditBooks(shop, { price: PRICE, sold: new Map([...sold, [template.planId, count]]), renewed: count, funded })
  await auditSample(shop, { price: PRICE, sold, users: buyers, fundedEach: PRICE })

  const { cpu, disk } = between(processes, before, after, count)
  const latency = latencyOf(bought.milliseconds)
  const purchases = {
    units: bought.bought,
    seconds: bought.seconds,
    perSecond: bought.bought / bought.seconds,
    latency,
  }
  const notes = [
    `p99 ${latency.p99} ms (target ${TARGET_MILLISECONDS} ms)`,
    ...(bought.seconds < seconds - 1 ? ['the purchases ended before the renewals'] : []),
  ]
  return [
    {
      workload: 'mixed',
      variant: `purchases ${RATE_PER_SECOND}/s`,
      unit: 'purchases',
      ...purchases,
      cpu: [],
      disk: [],
      notes,
    },
    {
      workload: 'mixed',
      variant: `${count} terms`,
      unit: 'renewals',
      units: count,
      seconds,
      perSecond: count / seconds,
      cpu: cpu.filter(({ name }) => name !== 'load'),
      load: cpu.filter(({ name }) => name === 'load'),
      disk,
      notes: ['CPU and disk hold what the purchases took'],
    },
  ]
}

export const mixed: Workload = {
  name: 'mixed',
  run: async (size, say) => {
    const house = await openHouse({ clock: 'test' })
    const clients = openClients()
    try {
      return await measure(house, clients, size, say)
    } finally {
      await clients.close()
      await house.close()
    }
  },
}
