import { randomUUID } from 'node:crypto'
import { type Answer, type Client, newKey, USD } from '@coding-plans/e2e/house'
import { pause } from '@coding-plans/runtime'
import type { Random } from '@coding-plans/simulator/random'
import type { Ask, Caller } from './caller.ts'
import { catalogue, type PlanOnSale } from './catalogue.ts'
import type { Notebook, Pending } from './memory.ts'

const PATIENCE_MILLISECONDS = 12_000
const MOST_KEYS_AT_ONCE = 6
const MOST_HOURS_AT_ONCE = 72
const LULL_MILLISECONDS = 3_000
/** Of the times that the clock is looked after. */
const LULLS = 0.2

interface Office {
  readonly caller: Caller
  readonly random: Random
  readonly notebook: Notebook
  readonly client: Client
  readonly cronSecret: string
}

/** Publishes plans, uploads keys, moves the clock, ticks. */
export class Operator {
  readonly pending: Pending[] = []
  /** The clock goes on when nothing is under way, and that never is while all go on: now and then everybody rests for it. */
  lull: Promise<void> = Promise.resolve()
  readonly #office: Office
  readonly #inStock: string[] = []
  /** The operation of the last step of the clock, if it was not done when it was answered. */
  #stepUnderWay: string | null = null

  constructor(office: Office) {
    this.#office = office
  }

  async act(): Promise<void> {
    const { random } = this.#office
    const act = random.weighted<() => Promise<void>>([
      [12, () => this.#advance()],
      [3, () => this.#tick()],
      [3, () => this.upload(random.pick(catalogue), random.below(MOST_KEYS_AT_ONCE) + 1)],
      [1, () => this.#changePrice()],
    ])
    await act()
  }

  async publish(plan: PlanOnSale, price = plan.price): Promise<void> {
    const { id, providerId, period, graceHours, ownership } = plan
    const isUsers = ownership === 'user'
    const credentialPolicy = { ownership, reveal: isUsers, upstreamRevocation: isUsers ? 'never' : 'manual' }
    const body = { name: `Plan ${id}`, providerId, priceMicrodollars: price, period, graceHours, credentialPolicy }
    const { caller, client, notebook } = this.#office
    const asked = notebook.prices.ask(id, price)
    const ask = { kind: 'publish a plan', call: `PUT /admin/plans/${id}`, body }
    const { answer, mayComeLate } = await caller.insist(client, ask, PATIENCE_MILLISECONDS)
    if (answer?.status === 200) asked.standsSince = Date.now()
    asked.mayComeLate = mayComeLate
  }

  async upload({ id: planId }: PlanOnSale, count: number): Promise<void> {
    const { notebook, random } = this.#office
    const keys = Array.from({ length: count }, () => `sk-${notebook.mark}-${randomUUID()}`)
    for (const key of keys) notebook.uploaded.set(key, planId)
    // Keys are unique over all plans: one that is there already changes nothing.
    if (this.#inStock.length > 0 && random.chance(0.3)) keys.push(random.pick(this.#inStock))
    const body = { entries: keys.map((key) => ({ key })) }
    const ask = { kind: 'upload keys', call: `POST /admin/plans/${planId}/keys`, body, key: newKey() }
    const learn = ({ status, body: { accepted } }: Answer) => {
      if (status === 200) notebook.accepted.set(planId, (notebook.accepted.get(planId) ?? 0) + accepted)
    }
    const answer = await this.#insist(ask)
    if (answer) learn(answer)
    if (answer) this.#inStock.push(...keys)
    else this.pending.push({ ask, by: 'operator', learn })
  }

  async #insist(ask: Ask): Promise<Answer | null> {
    const { caller, client } = this.#office
    return (await caller.insist(client, ask, PATIENCE_MILLISECONDS)).answer
  }

  /**
   * Terms come due, are renewed, unpaid, ended. Heard or not: a step more does no harm. But steps run one after the other, and
   * as many as are asked for in half an hour would go on for minutes after it.
   */
  async #advance() {
    if (this.#office.random.chance(LULLS)) this.lull = pause(LULL_MILLISECONDS)
    if (!(await this.#isAdvancing())) await this.#step()
    await this.lull
  }

  async #step() {
    const { caller, client, random } = this.#office
    const by = `PT${random.below(MOST_HOURS_AT_ONCE) + 1}H`
    const ask = { kind: 'advance the clock', call: 'POST /admin/clock/advance', body: { by } }
    const answer = await caller.once(client, ask)
    this.#stepUnderWay = answer?.status === 202 ? answer.body.id : null
  }

  async #isAdvancing() {
    const { caller, client } = this.#office
    if (!this.#stepUnderWay) return false
    const call = `GET /operations/${this.#stepUnderWay}`
    return (await caller.once(client, { kind: 'read an operation', call }))?.body.status === 'pending'
  }

  async #tick() {
    const { caller, client, cronSecret } = this.#office
    const headers = { authorization: `Bearer ${cronSecret}` }
    await caller.once(client, { kind: 'billing tick', call: 'POST /cron/billing', headers })
  }

  /** Who has the plan keeps its price. */
  async #changePrice() {
    const plan = this.#office.random.pick(catalogue)
    await this.publish(plan, plan.price + this.#office.random.below(USD))
  }
}
