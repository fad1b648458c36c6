import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type House, openHouse, USD } from '@coding-plans/e2e/house'
import { dueSubscriptions, startBaseline } from '../baseline/baseline.ts'
import { cloneLife, livedTemplate } from '../clones.ts'
import { daysOf, measureDue } from '../due.ts'
import type { Figure } from '../figure.ts'
import { houseDisks } from '../shop.ts'
import { between, look } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'

// Terms that are all due at one instant: from it until the last is paid and shown.

const TERMS: Record<Size, readonly number[]> = { quick: [3_000], full: [20_000, 100_000] }
const BASELINE_TERMS: Record<Size, number> = { quick: 1_000, full: 5_000 }
const PRICE = 20 * USD
const VERIFIER = join(import.meta.dirname, '..', '..', '..', '..', 'services', 'credits-ledger', 'src', 'verify.ts')

type Say = (line: string) => void

/** LED-5, over every chain there is. @throws when the ledger is not right */
const verifyLedger = async ({ stack }: House) => {
  const env = { PATH: process.env.PATH, DATABASE_URL: stack.servers.databaseUrl('coding_plans_credits_ledger') }
  const { stdout } = await promisify(execFile)(process.execPath, [VERIFIER], { env })
  return stdout.trim()
}

const measureOurs = async (house: House, counts: readonly number[], say: Say) => {
  const figures: Figure[] = []
  for (const [n, count] of counts.entries()) {
    const period = { unit: 'day', count: daysOf(n, counts.length) } as const
    const template = await livedTemplate(house, { price: PRICE, terms: 3, period })
    const began = performance.now()
    const { users } = await cloneLife(house, template, count - 1)
    say(`${count} terms made in ${((performance.now() - began) / 1_000).toFixed(1)} s`)
    const due = { template, count, users, left: PRICE }
    const figure = await measureDue(house, due, { workload: 'renewal', variant: `${count} terms` })
    figures.push(figure)
    say(`${count} renewed in ${figure.seconds.toFixed(1)} s`)
  }
  say(await verifyLedger(house))
  return figures
}

const measureBaseline = async (house: House, count: number): Promise<Figure> => {
  const { servers, secrets } = house.stack
  const databaseUrl = await servers.createDatabase('baseline')
  const { url, pid, stop } = await startBaseline({ databaseUrl, authSecret: secrets.AUTH_JWT_SECRET })
  try {
    const plan = { planId: 'monthly', providerId: 'acme', price: PRICE, period: { unit: 'month', count: 1 } } as const
    const boundary = Date.now()
    await dueSubscriptions(databaseUrl, { count, plan, boundary, creditsEach: 2 * PRICE })
    const token = await house.stack.token('admin-1', ['admin'])
    const processes = [
      { name: 'baseline', pid },
      { name: 'postgres', pid: servers.postgres.pid },
    ]
    const before = await look(processes, houseDisks(house))
    const began = performance.now()
    const answer = await fetch(`${url}/v1/admin/billing/tick`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ now: new Date(boundary).toISOString() }),
    })
    const said = await answer.text()
    const seconds = (performance.now() - began) / 1_000
    const after = await look(processes, houseDisks(house))
    if (answer.status !== 200 || JSON.parse(said).renewed !== count)
      throw new Error(`The baseline's tick answered ${answer.status} ${said}`)
    const use = between(processes, before, after, count)
    const what = { workload: 'renewal', variant: 'baseline', unit: 'renewals', units: count }
    return { ...what, seconds, perSecond: count / seconds, ...use }
  } finally {
    await stop()
  }
}

export const renewal: Workload = {
  name: 'renewal',
  run: async (size, say) => {
    const house = await openHouse({ clock: 'test' })
    try {
      const ours = await measureOurs(house, TERMS[size], say)
      // What nobody asks anything still polls: it would be measured with the baseline.
      await Promise.all(house.stack.services.map((service) => service.stop()))
      const theirs = await measureBaseline(house, BASELINE_TERMS[size])
      const ratioOf = ({ perSecond }: Figure) => ({ to: theirs.variant, value: perSecond / theirs.perSecond })
      return [...ours.map((figure) => ({ ...figure, ratio: ratioOf(figure) })), theirs]
    } finally {
      await house.close()
    }
  },
}
