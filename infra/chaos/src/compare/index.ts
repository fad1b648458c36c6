import type { Load } from '../load.ts'
import type { Notebook } from '../memory.ts'
import type { Person } from '../person.ts'
import type { Site } from '../site.ts'
import { askAuditor } from './auditor.ts'
import { choiceRules } from './choices.ts'
import { compareInside, readTopUps } from './inside.ts'
import { type Life, readLife } from './life.ts'
import { type CardCharges, compareCards, moneyRules } from './money.ts'
import { comparePlans } from './plans.ts'
import { slotRules } from './slots.ts'
import { compareStock } from './stock.ts'
import { termRules } from './terms.ts'

const readCards = async ({ stack }: Site): Promise<CardCharges> => {
  const answer = await fetch(`${stack.paymentsUrl}/charges`)
  const { data } = (await answer.json()) as { data: { userId: string; amount: number; returned: boolean }[] }
  const cards = new Map<string, number>()
  for (const { userId, amount, returned } of data) if (!returned) cards.set(userId, (cards.get(userId) ?? 0) + amount)
  return cards
}

/** Who is gone may do nothing, for ever, and has nothing. */
const compareDeleted = async ({ client, memory: { user } }: Person, notebook: Notebook) => {
  const { status, body } = await client('PUT /credits/auto-top-up', { body: { enabled: false } })
  if (status !== 403 || body.code !== 'account_deleted')
    notebook.violation('who was deleted may do nothing', `${user} was answered ${status} ${body.code}`)
  for (const list of ['slots', 'subscriptions']) {
    const { body: found } = await client(`GET /${list}`)
    if (found.data.length > 0) notebook.violation('who was deleted has nothing', `${user} has ${list}`)
  }
}

/** What everybody was answered against what the house says when all is calm. @returns what was looked at, in sentences. */
export const compare = async (site: Site, { people, operator }: Compared, notebook: Notebook): Promise<string[]> => {
  const now: string = (await operator('GET /admin/clock')).body.now
  const cards = await readCards(site)
  const rules = [...moneyRules(cards), ...termRules(now), ...slotRules(notebook), ...choiceRules]
  const calmSince = Date.now()
  const lives: Life[] = []
  for (const person of people) {
    if (person.memory.deletion !== 'none') {
      await compareDeleted(person, notebook)
      continue
    }
    const life = await readLife(person.client, person.memory)
    lives.push(life)
    for (const { what, check } of rules) for (const example of check(life)) notebook.violation(what, example)
  }
  for (const example of compareCards(cards, await readTopUps(site)))
    notebook.violation('what a card paid is credited or given back, also of who was deleted', example)
  await comparePlans(operator, notebook)
  await compareStock(operator, { lives, people }, notebook)
  const subscriptions = lives.flatMap((life) => life.subscriptions)
  const charges = Map.groupBy(
    subscriptions.flatMap((one) => one.charges),
    ({ kind }) => kind,
  )
  const counts = [...charges].map(([kind, of]) => `${of.length} ${kind}s`).join(', ')
  return [
    `compared: ${lives.length} users and ${people.length - lives.length} deleted ones, ${subscriptions.length} subscriptions (${subscriptions.filter(({ status }) => status !== 'ended').length} live), charges: ${counts}`,
    `keys: ${notebook.uploaded.size} uploaded, ${notebook.shownTo.size} shown`,
    ...(await compareInside(site, notebook)),
    await askAuditor(operator, { notebook, calmSince }),
  ]
}

interface Compared {
  readonly people: Load['people']
  readonly operator: Person['client']
}
