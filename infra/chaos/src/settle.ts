import type { Client } from '@coding-plans/e2e/house'
import { Random } from '@coding-plans/simulator/random'
import { type Ask, Caller, type Tally } from './caller.ts'
import type { Load } from './load.ts'
import type { Notebook, Pending } from './memory.ts'
import type { Site } from './site.ts'
import { untilReady } from './storm.ts'

const SETTLES_WITHIN_MILLISECONDS = 120_000
/** However little of the clock the storm let through, what lives by the day or two comes due once more. */
const LAST_TERM = 'P2D'
/** Everything that waits for a payment or a back-off has had its time. */
const LAST_STEP = 'PT1M'
const advanceBy = (by: string): Ask => ({ kind: 'advance the clock', call: 'POST /admin/clock/advance', body: { by } })

/** After the storm: everybody ready, every open question answered, nothing due and nothing under way. */
export const settle = async (site: Site, load: Load, { tally, notebook }: { tally: Tally; notebook: Notebook }) => {
  const until = Date.now() + SETTLES_WITHIN_MILLISECONDS
  const left = () => Math.max(0, until - Date.now())
  const caller = new Caller(tally, new Random(1))
  const operator = await site.as('operator-1', ['admin'])

  const missing = await untilReady(site, left())
  for (const name of missing)
    notebook.violation('everything is ready again when nothing breaks any more', `${name} is not`)

  const resolve = async (client: Client, { ask, learn }: Pending, who: string) => {
    const { answer } = await caller.insist(client, ask, left())
    if (answer) learn(answer)
    else notebook.violation('every request is answered when all is calm', `${ask.kind} of ${who} is not`)
  }
  await Promise.all([
    ...load.operator.pending.map((pending) => resolve(operator, pending, 'the operator')),
    ...load.people.flatMap(({ client, memory }) =>
      memory.pending.map((pending) => resolve(pending.by === 'user' ? client : operator, pending, memory.user)),
    ),
  ])
  await Promise.all(load.people.map(({ client, memory }) => finishDeletion({ caller, client, memory, left, notebook })))
  await caller.insist(operator, advanceBy(LAST_TERM), left())
  await untilSettled({ caller, operator, left, notebook })
}

interface Deletion {
  readonly caller: Caller
  readonly client: Client
  readonly memory: Load['people'][number]['memory']
  readonly left: () => number
  readonly notebook: Notebook
}

/** A repeated deletion answers with the first one's operation, which in the end has succeeded. */
const finishDeletion = async ({ caller, client, memory, left, notebook }: Deletion) => {
  if (memory.deletion === 'none') return
  for (;;) {
    const answer = await caller.once(client, { kind: 'delete a user', call: 'DELETE /me' })
    if (answer?.status === 202) memory.deletion = 'answered'
    if (answer?.body?.status === 'succeeded') return
    if (left() === 0) break
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  notebook.violation('a deletion ends', `that of ${memory.user} has not`)
}

interface Settling {
  readonly caller: Caller
  readonly operator: Client
  readonly left: () => number
  readonly notebook: Notebook
}

/** The scheduler's own word for it: an advance is answered 200 when nothing is due, unread, unpublished or under way. */
const untilSettled = async ({ caller, operator, left, notebook }: Settling) => {
  for (;;) {
    const answer = await caller.once(operator, advanceBy(LAST_STEP))
    if (answer?.status === 200 && answer.body.settled) return
    if (left() === 0) break
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  notebook.violation('all comes to rest when nothing breaks any more', 'the clock never called itself settled')
}
