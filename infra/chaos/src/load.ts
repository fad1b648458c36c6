import { pause } from '@coding-plans/runtime'
import { Random } from '@coding-plans/simulator/random'
import { Caller, type Tally } from './caller.ts'
import { catalogue } from './catalogue.ts'
import type { Notebook } from './memory.ts'
import { Operator } from './operator.ts'
import { Person } from './person.ts'
import type { Site } from './site.ts'

const MOST_THINKING_MILLISECONDS = 250
const OPERATOR_RESTS_MILLISECONDS = 1_200
/** So many steps are drawn from one seed before another client's begin. */
const SEEDS_APART = 1_000_003

export interface Load {
  readonly people: readonly Person[]
  readonly operator: Operator
  /** Everybody does one thing after another until it is time. */
  readonly run: (until: number) => Promise<void>
}

/** Open the shop, and so many clients at once, each being one user until that one is deleted. */
export const openLoad = async (site: Site, { seed, clients, tally, notebook }: LoadOptions): Promise<Load> => {
  const operatorClient = await site.as('operator-1', ['admin'])
  const callerOf = (n: number) => {
    const random = new Random(seed + SEEDS_APART * n)
    return { random, caller: new Caller(tally, random) }
  }
  const cronSecret = site.stack.secrets.CRON_SECRET
  const operator = new Operator({ ...callerOf(0), notebook, client: operatorClient, cronSecret })
  for (const plan of catalogue) {
    await operator.publish(plan)
    if (plan.keys > 0) await operator.upload(plan, plan.keys)
  }
  const people: Person[] = []
  let arrived = 0
  const arrive = async (company: ReturnType<typeof callerOf>) => {
    arrived += 1
    const user = `user-${arrived}`
    const person = new Person(user, await site.as(user), { ...company, notebook, operator: operatorClient })
    people.push(person)
    await person.credit()
    return person
  }
  const live = async (n: number, until: number) => {
    const company = callerOf(n + 1)
    let person = await arrive(company)
    while (Date.now() < until) {
      await operator.lull
      await person.act()
      if (person.memory.deletion !== 'none') person = await arrive(company)
      await pause(company.random.below(MOST_THINKING_MILLISECONDS))
    }
  }
  const operate = async (until: number) => {
    while (Date.now() < until) {
      await operator.act()
      await pause(OPERATOR_RESTS_MILLISECONDS)
    }
  }
  const run = async (until: number) => {
    await Promise.all([operate(until), ...Array.from({ length: clients }, (_, n) => live(n, until))])
  }
  return { people, operator, run }
}

export interface LoadOptions {
  readonly seed: number
  readonly clients: number
  readonly tally: Tally
  readonly notebook: Notebook
}
