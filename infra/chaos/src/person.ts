import { type Answer, type Client, newKey, USD } from '@coding-plans/e2e/house'
import type { Random } from '@coding-plans/simulator/random'
import type { Ask, Caller, Heard } from './caller.ts'
import { catalogue, isOfProvider, providers } from './catalogue.ts'
import { Choices } from './choices.ts'
import { Memory, mayBe, type Notebook, type Refund } from './memory.ts'

/** How long a client asks again before it does something else; what became of it is found out when all is calm. */
const PATIENCE_MILLISECONDS = 12_000
const MOST_CREDIT = 60 * USD

export interface Company {
  readonly caller: Caller
  readonly random: Random
  readonly notebook: Notebook
  readonly operator: Client
}

type Learn = (answer: Answer, isLate: boolean) => void

/** One user, what is done by and about them, one thing after another, and what they remember of it. */
export class Person {
  readonly memory: Memory
  readonly client: Client
  readonly #company: Company
  readonly #choices: Choices

  constructor(user: string, client: Client, company: Company) {
    this.memory = new Memory(user)
    this.client = client
    this.#company = company
    const { random, notebook } = company
    this.#choices = new Choices({
      random,
      mark: notebook.mark,
      memory: this.memory,
      insist: (ask) => this.#insist(ask),
    })
  }

  get #random() {
    return this.#company.random
  }

  /** Do something. */
  async act(): Promise<void> {
    const act = this.#random.weighted<() => Promise<void>>([
      [24, () => this.buy()],
      [6, () => this.#buyAgainUnderItsKey()],
      [12, () => this.credit()],
      [5, () => this.#cancel()],
      [5, () => this.#resume()],
      [2, () => this.#terminate()],
      [8, () => this.#choices.putOwnKey()],
      [6, () => this.#choices.deleteOwnKey()],
      [10, () => this.#reveal()],
      [5, () => this.#choices.wish()],
      [4, () => this.#choices.setAutoTopUp()],
      [6, () => this.#read()],
      [0.4, () => this.delete()],
    ])
    await act()
  }

  #insist(ask: Ask, client = this.client): Promise<Heard> {
    return this.#company.caller.insist(client, ask, PATIENCE_MILLISECONDS)
  }

  /** What creates something: asked under a key until it is answered, if need be after the storm. */
  async #create(ask: Ask & { key: string }, by: 'user' | 'operator', learn: Learn) {
    const { answer } = await this.#insist(ask, by === 'user' ? this.client : this.#company.operator)
    if (answer) learn(answer, false)
    else this.memory.pending.push({ ask, by, learn: (answer) => learn(answer, true) })
  }

  #purchase(): Ask & { key: string } {
    const { id } = this.#random.pick(catalogue)
    return { kind: 'purchase', call: 'POST /subscriptions', body: { planId: id }, key: newKey() }
  }

  /** Once, twice under one key at the same time, or twice under two. */
  async buy(): Promise<void> {
    const ask = this.#purchase()
    this.#touchAll(ask)
    const asks = this.#random.weighted([
      [6, [ask]],
      [3, [ask, ask]],
      [1, [ask, { ...ask, key: newKey() }]],
    ])
    const since = Date.now()
    const learn =
      (one: Ask): Learn =>
      (answer, isLate) => {
        if (answer.status !== 201) return
        this.memory.learnPurchase(one, answer, isLate)
        this.#judgePrice(answer, since)
      }
    await Promise.all(asks.map((one) => this.#create(one, 'user', learn(one))))
    await this.#seeWhatWasBought()
  }

  #judgePrice({ body }: Answer, since: number) {
    const { notebook } = this.#company
    const { operationId, charge, subscription } = body
    const cost = charge?.amountMicrodollars ?? 0
    if (!notebook.prices.couldCost(subscription.planId, since).has(cost))
      notebook.violation(
        'a purchase costs what was published',
        `${operationId} of ${this.memory.user}: ${cost} for ${subscription.planId}`,
      )
  }

  /** An extension undoes a cancellation that was scheduled before. */
  #touchAll({ body }: Ask) {
    for (const [id, { planId }] of this.memory.subscriptions)
      if (planId === (body as { planId: string }).planId) this.memory.flagged.delete(id)
  }

  /** What was answered is visible to the next read. */
  async #seeWhatWasBought() {
    const last = [...this.memory.subscriptions.keys()].at(-1)
    if (!last) return
    const answer = await this.#company.caller.once(this.client, { kind: 'read', call: `GET /subscriptions/${last}` })
    if (answer?.status === 404)
      this.#company.notebook.violation(
        'what was answered is visible to the next read',
        `${this.memory.user} bought ${last} and is told that there is none`,
      )
  }

  async #buyAgainUnderItsKey() {
    if (this.memory.bought.length === 0) return
    const { ask, operationId } = this.#random.pick(this.memory.bought)
    const { answer } = await this.#insist({ ...ask, kind: 'purchase, replayed' })
    if (answer && (answer.status !== 201 || answer.body.operationId !== operationId))
      this.#company.notebook.violation(
        'a success is replayed for ever',
        `${operationId} of ${this.memory.user} was answered ${answer.status} ${JSON.stringify(answer.body)}`,
      )
  }

  async credit(amount = this.#random.below(MOST_CREDIT) + 1): Promise<void> {
    const kind = this.#random.pick(['grant', 'payment', 'adjustment'])
    const signed = kind === 'adjustment' && this.#random.chance(0.5) ? -Math.ceil(amount / 10) : amount
    const ask = {
      kind: `credits: ${kind}`,
      call: `POST /admin/users/${this.memory.user}/credits`,
      body: { amountMicrodollars: signed, kind, reason: this.#company.notebook.plain },
      key: newKey(),
    }
    await this.#create(ask, 'operator', (answer) => {
      if (answer.status === 201) this.memory.credits.set(answer.body.entryId, signed)
    })
  }

  #aSubscription() {
    const open = [...this.memory.subscriptions.keys()].filter((id) => !this.memory.ended.has(id))
    return open.length === 0 ? null : this.#random.pick(open)
  }

  async #cancel() {
    const id = this.#aSubscription()
    if (!id) return
    const { flagged, goesOn, murky, ended } = this.memory
    const when = this.#random.pick(['period_end', 'period_end', 'period_end', 'now'])
    flagged.delete(id)
    goesOn.delete(id)
    const { answer, mayComeLate } = await this.#insist({
      kind: `cancel ${when === 'now' ? 'now' : 'at period end'}`,
      call: `POST /subscriptions/${id}/cancel`,
      body: { when },
    })
    if (mayComeLate) murky.add(id)
    if (answer?.status !== 200) return
    if (answer.body.status === 'ended') ended.add(id)
    else if (answer.body.cancelAtPeriodEnd) flagged.set(id, answer.body.currentPeriodEnd)
  }

  async #resume() {
    const id = this.#aSubscription()
    if (!id) return
    this.memory.flagged.delete(id)
    const { answer, mayComeLate } = await this.#insist({ kind: 'resume', call: `POST /subscriptions/${id}/resume` })
    if (mayComeLate) this.memory.murky.add(id)
    if (answer?.status === 200) this.memory.goesOn.add(id)
  }

  /** By the operator, once each subscription at most: so the refund that is due is known. */
  async #terminate() {
    const id = this.#aSubscription()
    if (!id || this.memory.terminated.has(id)) return
    const refund = this.#random.pick<Refund>(['none', 'prorated', 'full'])
    this.memory.terminated.set(id, refund)
    const body = { reason: 'chaos', refund }
    const ask = { kind: 'terminate', call: `POST /admin/subscriptions/${id}/terminate`, body }
    const { answer } = await this.#insist(ask, this.#company.operator)
    if (answer?.status === 200) this.memory.ended.add(id)
  }

  async #reveal() {
    const providerId = this.#random.pick(providers)
    const ask = { kind: 'reveal', call: `POST /slots/${providerId}/reveal` }
    const answer = await this.#company.caller.once(this.client, ask)
    if (answer?.status !== 200) return
    const { key } = answer.body
    if (mayBe(this.memory.ownKey(providerId), key)) return
    this.#company.notebook.show(this.memory.user, key, isOfProvider(providerId))
  }

  async #read() {
    const paths = ['/plans', '/subscriptions', '/slots', '/credits', '/credits/entries', '/notifications']
    await this.#company.caller.once(this.client, { kind: 'read', call: `GET ${this.#random.pick(paths)}` })
  }

  /** For ever. */
  async delete(): Promise<void> {
    this.memory.deletion = 'asked'
    const answer = await this.#company.caller.once(this.client, { kind: 'delete a user', call: 'DELETE /me' })
    if (answer?.status === 202) this.memory.deletion = 'answered'
  }
}
