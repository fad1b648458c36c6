import { type House, openHouse } from '@coding-plans/e2e/house'
import { auditBooks, auditSample } from '../audit.ts'
import { baselineShop } from '../baseline-shop.ts'
import { type Clients, type Load, type Order, openClients } from '../clients.ts'
import { type Figure, latencyOf } from '../figure.ts'
import { roundsBetween } from '../rounds.ts'
import { houseShop, type Shop } from '../shop.ts'
import { between, look } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Click to active, by HTTP. The last 201 says that the last purchase is done: there the clock stops.

const PRICE = 20_000_000
const WARM_UP_SECONDS = 2
const RATE_PER_SECOND = 50

interface Variant {
  readonly name: string
  readonly load: Order['load']
  readonly seconds: number
}

const closedLoop = (clients: number, seconds: number): Variant => ({
  name: `${clients} client${clients > 1 ? 's' : ''}`,
  load: { clients },
  seconds,
})
const fixedRate = (seconds: number): Variant => ({
  name: `${RATE_PER_SECOND}/s`,
  load: { perSecond: RATE_PER_SECOND },
  seconds,
})

const variantsOf: Record<Size, readonly Variant[]> = {
  quick: [closedLoop(32, 3), closedLoop(128, 3)],
  full: [...[1, 8, 32, 128, 512].map((clients) => closedLoop(clients, 10)), fixedRate(30)],
}
/** Before all others: code that is compiled while it is measured is slow code. */
const openingOf: Record<Size, Variant> = { quick: closedLoop(32, 1), full: closedLoop(32, 4) }

/** More than any of this machine's variants needs. Where it is not enough the load ends early, and its figure says so. */
const mostPerSecond = ({ load }: Variant, fastest: number) =>
  'clients' in load ? Math.min(fastest, load.clients * (fastest / 10)) : load.perSecond
const buyersOf = (variant: Variant, fastest: number) =>
  Math.ceil(mostPerSecond(variant, fastest) * (WARM_UP_SECONDS + variant.seconds))

const run = async (load: Load) => {
  const outcome = await load.run()
  for (const { user, status, body } of outcome.refusals) throw new Error(`${user} was answered ${status} ${body}`)
  return outcome
}

interface Measuring {
  readonly shop: Shop
  readonly clients: Clients
  readonly fastest: number
  readonly variants: readonly Variant[]
  readonly opening: Variant
  readonly say: (line: string) => void
}

const measureShop = async ({ shop, clients, fastest, variants, opening, say }: Measuring): Promise<Figure[]> => {
  const { url, authSecret, name: prefix } = shop
  const all = [opening, ...variants]
  const count = Math.max(...all.map((variant) => buyersOf(variant, fastest)))
  const users = Array.from({ length: count }, (_, n) => `buyer-${n}`)
  const fundedEach = PRICE * all.length
  await shop.fund(users, fundedEach)
  say(`${prefix}${count} users have credits`)

  const sold = new Map<string, number>()
  const processes = [...shop.processes, { name: 'load', pid: clients.pid }]
  const measure = async (variant: Variant): Promise<Figure> => {
    const { load, seconds } = variant
    const keys = buyersOf(variant, fastest)
    const planId = await shop.offer(PRICE, keys)
    const buyers = users.slice(0, keys)
    const order = { url, authSecret, planId, load }
    const warmUp = await run(await clients.prepare({ ...order, users: buyers, seconds: WARM_UP_SECONDS }))
    const rest = buyers.slice(warmUp.bought)
    const prepared = await clients.prepare({ ...order, users: rest, seconds })
    const rounds = await shop.rounds()
    const before = await look(processes, shop.disks)
    const { bought, seconds: took, milliseconds } = await run(prepared)
    const after = await look(processes, shop.disks)
    const notes = [
      ...(rounds.length > 0 ? [roundsBetween(rounds, await shop.rounds())] : []),
      ...(bought === rest.length && 'clients' in load ? ['all keys were sold before the time was over'] : []),
    ]
    sold.set(planId, warmUp.bought + bought)
    await auditBooks(shop, { price: PRICE, sold, funded: users.length * fundedEach })
    await auditSample(shop, { price: PRICE, sold, users, fundedEach })
    const { cpu, disk } = between(processes, before, after, bought)
    const perSecond = bought / took
    say(`${prefix}${variant.name}: ${bought} in ${took.toFixed(1)} s`)
    return {
      workload: 'purchase',
      variant: prefix + variant.name,
      unit: 'purchases',
      units: bought,
      seconds: took,
      perSecond,
      latency: latencyOf(milliseconds),
      cpu: cpu.filter(({ name }) => name !== 'load'),
      load: cpu.filter(({ name }) => name === 'load'),
      disk,
      notes,
    }
  }
  await measure(opening)
  const figures: Figure[] = []
  for (const variant of variants) figures.push(await measure(variant))
  return figures
}

const OURS_AT_MOST_PER_SECOND = 600
const BASELINE_AT_MOST_PER_SECOND = 1_500

const measureBoth = async (house: House, clients: Clients, size: Size, say: (line: string) => void) => {
  const measuring = { clients, variants: variantsOf[size], opening: openingOf[size], say }
  const ours = await measureShop({ ...measuring, shop: houseShop(house), fastest: OURS_AT_MOST_PER_SECOND })
  // What nobody asks anything still polls: it would be measured with the baseline.
  await Promise.all(house.stack.services.map((service) => service.stop()))
  const shop = await baselineShop(house)
  try {
    const theirs = await measureShop({ ...measuring, shop, fastest: BASELINE_AT_MOST_PER_SECOND })
    return [...compared(ours, theirs), ...theirs]
  } finally {
    await shop.close()
  }
}

const isClosedLoop = ({ variant }: Figure) => variant.includes('client')

/** Against the best that the baseline reaches, with however many clients. */
const compared = (ours: readonly Figure[], theirs: readonly Figure[]): Figure[] => {
  const best = theirs.filter(isClosedLoop).reduce((a, b) => (b.perSecond > a.perSecond ? b : a))
  return ours.map((figure) =>
    isClosedLoop(figure)
      ? { ...figure, ratio: { to: best.variant, value: figure.perSecond / best.perSecond } }
      : figure,
  )
}

export const purchase: Workload = {
  name: 'purchase',
  run: async (size, say) => {
    const house = await openHouse({ clock: 'system' })
    const clients = openClients()
    try {
      return await measureBoth(house, clients, size, say)
    } finally {
      await clients.close()
      await house.close()
    }
  },
}
