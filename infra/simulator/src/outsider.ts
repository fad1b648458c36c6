import {
  chainOf,
  type Entry,
  Facts,
  findingsOf,
  fold,
  type Lane,
  type Link,
  passingOf,
  planKeyOf,
  priceOf,
  totalsOf,
} from '@coding-plans/auditor/fold'
import type { Message } from '@coding-plans/runtime'
import type { Random } from './random.ts'
import { Violation } from './watch.ts'
import type { World } from './world.ts'

/** What the auditor, who knows the topics and nothing else, makes of all that was said. @throws Violation */
export const askOutsider = ({ broker, rooms }: Pick<World, 'broker' | 'rooms'>, random: Random) => {
  const facts = new Facts()
  const seen = new Set<string>()
  const said = new Map<string, Link>()
  // On which topic it looks first is chance; each is in its order.
  for (const message of random.merge(broker.partitions())) {
    const name = `${message.source}|${message.id}`
    if (seen.has(name)) continue
    seen.add(name)
    fold(facts, message)
    said.set(message.id, linkOf(message))
  }
  for (const fact of facts) {
    const [wrong] = [...findingsOf(fact), ...passingOf(fact)]
    if (wrong) throw new Violation(`auditor, ${wrong.check}: ${wrong.detail}`)
    if (fact.kind !== 'entry') continue
    explain(fact.id, fact.value as Entry, said)
    comparePrice(fact.id, fact.value as Entry, facts)
  }
  compareTotals(rooms, facts)
}

/** What the services have is what was said. */
const compareTotals = ({ ledger, gateway, subscription, inventory }: World['rooms'], facts: Facts) => {
  const lanes = [...facts].flatMap(({ kind, value }) => (kind === 'lane' ? [value as Lane] : []))
  const told = totalsOf(lanes)
  const sum = <Row>(rows: Iterable<Row>, of: (row: Row) => number) =>
    [...rows].reduce((total, row) => total + of(row), 0)
  const isLive = ({ status }: { readonly status: string }) => Number(status !== 'ended')
  const found: Record<string, number> = {
    'ledger balance': sum(ledger.tables.accounts, ({ available, held }) => available + held),
    'ledger held': sum(ledger.tables.accounts, ({ held }) => held),
    'gateway balance': sum(gateway.tables.accounts, ({ balance }) => balance),
    'gateway held': sum(gateway.tables.accounts, ({ held }) => held),
    'subscription live': sum(subscription.tables.subscriptions, isLive),
    'gateway live': sum(gateway.tables.subscriptions, isLive),
  }
  for (const { counts } of inventory.tables.stocks)
    for (const [state, count] of Object.entries(counts)) {
      const name = `inventory ${state.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}`
      found[name] = (found[name] ?? 0) + count
    }
  for (const [name, count] of Object.entries(found))
    if (count !== told[name])
      throw new Violation(`auditor, told_is_there: ${name} is ${count}, and ${told[name]} was said`)
}

/** Who asks why they were charged is told everything from the request, or the due term, to the entry. */
const explain = (id: string, { messageId }: Entry, said: ReadonlyMap<string, Link>) => {
  const { chain, closed } = chainOf(messageId, (one) => said.get(one))
  const [root] = chain
  if (!closed) throw new Violation(`the chain of ${id} does not close before ${root?.name ?? messageId}`)
  if (root?.source !== 'gateway' && root?.source !== 'billing-scheduler')
    throw new Violation(`the chain of ${id} begins with ${root?.name} of ${root?.source}`)
}

/** And by what: a charge is the price of a version that was published. */
const comparePrice = (id: string, entry: Entry, facts: Facts) => {
  if (entry.kind !== 'charge') return
  const subscription = facts.peek('subscription', entry.subscriptionId ?? '')
  const extension = facts.peek('extension', entry.correlationId)
  const { planId, planVersion } = extension ?? subscription ?? {}
  const plan = facts.peek('plan', planKeyOf({ planId: planId ?? '', version: planVersion ?? 0 }))
  const charged = priceOf(entry, { subscription, extension, plan })
  if (charged?.price !== -entry.amount || charged.planVersion === null || charged.period !== plan?.period)
    throw new Violation(`CAT-5: ${id} over ${entry.amount} is explained by ${JSON.stringify(charged)}`)
}

const linkOf = ({ id, name, source, topic, lane, offset, time, causationId }: Message): Link => ({
  ...{ id, name, source, topic, offset },
  partition: lane,
  at: time,
  causeId: causationId,
})
