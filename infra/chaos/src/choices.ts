import { randomUUID } from 'node:crypto'
import { USD } from '@coding-plans/e2e/house'
import type { Random } from '@coding-plans/simulator/random'
import type { Ask, Heard } from './caller.ts'
import { catalogue, providers } from './catalogue.ts'
import type { Known, Memory } from './memory.ts'

interface Chooser {
  readonly memory: Memory
  readonly random: Random
  readonly mark: string
  readonly insist: (ask: Ask) => Promise<Heard>
}

const learn = <T>(of: Known<T>, value: T, { answer, mayComeLate }: Heard) => {
  if (mayComeLate) of.late.add(value)
  if (answer && answer.status < 300) of.said = value
}

/** What one user sets without an Idempotency-Key: the last word counts, if it is known which that was. */
export class Choices {
  readonly #chooser: Chooser

  constructor(chooser: Chooser) {
    this.#chooser = chooser
  }

  async putOwnKey() {
    const { random, mark } = this.#chooser
    // Any byte that a key may hold must come back.
    const key = `own-${mark}-${randomUUID()}-é"\\'☃`
    await this.#changeOwnKey(random.pick(providers), key)
  }

  async deleteOwnKey() {
    await this.#changeOwnKey(this.#chooser.random.pick(providers), null)
  }

  async #changeOwnKey(providerId: string, key: string | null) {
    const { memory, insist } = this.#chooser
    const ask =
      key === null
        ? { kind: 'delete an own key', call: `DELETE /slots/${providerId}` }
        : { kind: 'put an own key', call: `PUT /slots/${providerId}`, body: { key } }
    learn(memory.ownKey(providerId), key, await insist(ask))
  }

  async wish() {
    const { memory, random, insist } = this.#chooser
    const { id } = random.pick(catalogue)
    const method = random.pick(['PUT', 'PUT', 'DELETE'])
    const heard = await insist({ kind: 'restock wish', call: `${method} /plans/${id}/restock-wish` })
    learn(memory.wish(id), method === 'PUT', heard)
  }

  async setAutoTopUp() {
    const { memory, random, insist } = this.#chooser
    const enabled = random.chance(0.8)
    const paymentMethodId = random.pick(['pm_ok', 'pm_slow', 'pm_decline'])
    const how = enabled ? { amountMicrodollars: random.below(20 * USD) + 1, paymentMethodId } : null
    const heard = await insist({ kind: 'auto top-up', call: 'PUT /credits/auto-top-up', body: { enabled, ...how } })
    const { autoTopUp } = memory
    learn(autoTopUp.enabled, enabled, heard)
    if (!how) return
    learn(autoTopUp.amountMicrodollars, how.amountMicrodollars, heard)
    learn(autoTopUp.paymentMethodId, how.paymentMethodId, heard)
  }
}
