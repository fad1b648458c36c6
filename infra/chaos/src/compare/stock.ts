import type { Client } from '@coding-plans/e2e/house'
import { catalogue, planOf } from '../catalogue.ts'
import type { Notebook } from '../memory.ts'
import type { Person } from '../person.ts'
import { type Life, listed } from './life.ts'

interface StockKey {
  readonly id: string
  readonly state: string
  readonly subscriptionId: string | null
}

interface Looked {
  readonly lives: readonly Life[]
  readonly people: readonly Person[]
}

/** Keys are counted per plan, as many as were accepted; and each is whose it should be. */
export const compareStock = async (operator: Client, { lives, people }: Looked, notebook: Notebook) => {
  const known = new Set([
    ...lives.flatMap(({ subscriptions }) => subscriptions.map(({ id }) => id)),
    ...people.flatMap(({ memory }) => [...memory.subscriptions.keys()]),
  ])
  const { body } = await operator('GET /admin/inventory')
  for (const { id: planId } of catalogue) {
    const counts: Record<string, number> =
      body.data.find((one: { planId: string }) => one.planId === planId)?.counts ?? {}
    const uploaded = notebook.accepted.get(planId) ?? 0
    const counted = Object.values(counts).reduce((sum, count) => sum + count, 0)
    if (counted !== uploaded)
      notebook.violation('the states of the keys sum to those uploaded', `${planId}: ${counted} instead of ${uploaded}`)
    const keys = await listed<StockKey>(operator, `/admin/inventory/keys?planId=${planId}`)
    for (const [state, count] of Object.entries(counts)) {
      const found = keys.filter((key) => key.state === state).length
      if (found !== count)
        notebook.violation('the counts are those of the list', `${planId}: ${count} ${state}, ${found} in the list`)
    }
    for (const sentence of comparePlan(lives, known, { planId, keys }))
      notebook.violation(sentence.what, sentence.example)
  }
}

interface Stocked {
  readonly planId: string
  readonly keys: readonly StockKey[]
}

/** Every subscription has had one key for its life; when it is over the key stays as evidence, or waits for revocation. */
const comparePlan = (lives: readonly Life[], known: ReadonlySet<string>, { planId, keys }: Stocked) => {
  const afterwards = planOf(planId)?.ownership === 'operator' ? 'revocation_pending' : 'assigned'
  const bySubscription = Map.groupBy(keys, ({ subscriptionId }) => subscriptionId)
  const wrong = lives
    .flatMap(({ subscriptions }) => subscriptions.filter((one) => one.planId === planId))
    .filter(({ id, status }) => {
      const states = (bySubscription.get(id) ?? []).map(({ state }) => state)
      return states.join() !== (status === 'ended' ? afterwards : 'assigned')
    })
  const strange = [...bySubscription.keys()].filter((id) => id !== null && !known.has(id))
  return [
    ...wrong.map(({ id, status }) => ({
      what: 'every subscription has one key for its life',
      example: `${id} of ${planId} is ${status}, its keys are ${JSON.stringify(bySubscription.get(id) ?? [])}`,
    })),
    ...strange.map((id) => ({ what: 'a key is assigned to nobody else', example: `${planId}: to ${id}` })),
  ]
}
