import {
  chainOf,
  type Entry,
  explainingChain,
  Facts,
  findingsOf,
  fold,
  type Lane,
  type Link,
  mispriced,
  passingOf,
  planKeyOf,
  priceOf,
  type Sale,
  totalsOf,
} from '@coding-plans/auditor/fold'
import type { Message } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import type { Random } from './random.ts'
import { Violation } from './watch.ts'
import type { World } from './world.ts'

/**
 * What the auditor, who knows the topics and nothing else, makes of all that was said; and what, if some of it lay in its
 * dead letters and was heard last. @throws Violation
 */
export const askOutsider = ({ broker, rooms }: Pick<World, 'broker' | 'rooms'>, random: Random) => {
  // On which topic it looks first is chance; each is in its order.
  const heard = once(random.merge(broker.partitions()))
  const facts = listen(heard)
  const said = new Map(heard.map((message) => [message.id, linkOf(message)]))
  const renewals = new Map(
    heard
      .filter(isRenewing)
      .toReversed()
      .map(({ correlationId, id }) => [correlationId, id]),
  )
  for (const { kind, id, value } of facts) {
    if (kind !== 'entry') continue
    explain(id, value as Entry, { facts, said, renewals })
    comparePrice(id, value as Entry, facts)
  }
  comparePrices(facts)
  compareTotals(rooms, facts)
  const missed = someOf(heard, random)
  const names = missed.map(({ name, id }) => `${name} ${id}`).join(' and ')
  compareTotals(rooms, listen([...heard.filter((one) => !missed.includes(one)), ...missed], `, ${names} heard last`))
}

const once = (messages: readonly Message[]): Message[] => {
  const seen = new Map<string, Message>()
  for (const message of messages) {
    const name = `${message.source}|${message.id}`
    if (!seen.has(name)) seen.set(name, message)
  }
  return [...seen.values()]
}

const MISSED = 2
/** An end that is heard after the next activation looks like two that live at once, which must never be so. */
const mayBeMissed = ({ name, topic }: Message) => topic.endsWith('.events') && name !== 'SubscriptionEnded'

const someOf = (heard: readonly Message[], random: Random): Message[] => {
  const events = heard.filter(mayBeMissed)
  const missed = new Set(Array.from({ length: MISSED }, () => random.pick(events)))
  return events.filter((event) => missed.has(event))
}

/** @throws Violation at what is wrong in the end */
const listen = (messages: readonly Message[], how = ''): Facts => {
  const facts = new Facts()
  for (const message of messages) fold(facts, message)
  for (const fact of facts) {
    const [wrong] = [...findingsOf(fact), ...passingOf(fact)]
    if (wrong) throw new Violation(`auditor, ${wrong.check}${how}: ${wrong.detail}`)
  }
  return facts
}

/** Every version is sold for what it was published with. */
const comparePrices = (facts: Facts) => {
  for (const { kind, value } of facts) {
    if (kind !== 'sale') continue
    const sale = value as Sale
    const plan = facts.peek('plan', sale.planKey)
    const wrong = plan
      ? mispriced(sale, plan)
      : { check: 'charge_has_its_term', detail: `nobody published ${sale.planKey}` }
    if (wrong) throw new Violation(`auditor, ${wrong.check}: ${wrong.detail}`)
  }
}

/** What the services have is what was said. */
const compareTotals = ({ ledger, gateway, subscription, inventory }: World['rooms'], facts: Facts) => {
  const lanes = [...facts].flatMap(({ kind, value }) => (kind === 'lane' ? [value as Lane] : []))
  const told = totalsOf(lanes)
  const sum = <Row>(rows: Iterable<Row>, of: (row: Row) => number) =>
    [...rows].reduce((total, row) => total + of(row), 0)
  const count = (rows: Iterable<unknown>) => [...rows].length
  const isLive = ({ status }: { readonly status: string }) => Number(status !== 'ended')
  const found: Record<string, number> = {
    'ledger balance': sum(ledger.tables.accounts, ({ available, held }) => available + held),
    'ledger held': sum(ledger.tables.accounts, ({ held }) => held),
    'gateway balance': sum(gateway.tables.accounts, ({ balance }) => balance),
    'gateway held': sum(gateway.tables.accounts, ({ held }) => held),
    'subscription live': sum(subscription.tables.subscriptions, isLive),
    'gateway live': sum(gateway.tables.subscriptions, isLive),
    'ledger postings': count(ledger.tables.transfers),
    'subscription begun': count(subscription.tables.subscriptions),
    'subscription terms': count(subscription.tables.terms),
    'gateway entries': sum(gateway.tables.movements, ({ entryId }) => Number(entryId !== null)),
    'gateway begun': count(gateway.tables.subscriptions),
    'gateway charges': count(gateway.tables.charges),
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

const isRenewing = ({ name, body }: Message) =>
  name === 'HoldCredits' && (body as Bodies['HoldCredits']).purpose === 'renewal'

interface Told {
  readonly facts: Facts
  readonly said: ReadonlyMap<string, Link>
  /** Sagas that renew, and the first hold that each asked for. */
  readonly renewals: ReadonlyMap<string, string>
}

/** Who asks why they were charged is told everything from the request, or the due term, to the entry. */
const explain = (id: string, { messageId, correlationId }: Entry, { facts, said, renewals }: Told) => {
  const { dueId = null } = facts.peek('renewal', correlationId) ?? {}
  const chain = explainingChain(messageId, dueId, (one) => said.get(one))
  if (!chain) throw new Violation(`the chain of ${id} does not close`)
  const [root] = chain
  if (root?.source === 'billing-scheduler') return
  // A renewal is asked for by nobody, whoever brought the credits that it waited for; but one that waited for a purchase of
  // the same subscription was taken up when that was over, and goes back to it.
  const first = renewals.get(correlationId)
  const began = first && chainOf(first, (one) => said.get(one)).chain[0]
  if (root?.source !== 'gateway' || (began && began.id !== root.id))
    throw new Violation(`the chain of ${id} begins with ${root?.name} of ${root?.source}`)
}

/** And by what: a charge is the price of a version that was published. */
const comparePrice = (id: string, entry: Entry, facts: Facts) => {
  if (entry.kind !== 'charge') return
  const subscription = facts.peek('subscription', entry.subscriptionId ?? '')
  const extension = facts.peek('extension', entry.correlationId)
  const { planId, planVersion } = extension ?? subscription ?? {}
  const plan = facts.peek('plan', planKeyOf({ planId: planId ?? '', version: planVersion ?? 0 }))
  const charged = priceOf({ subscription, extension, plan })
  if (charged?.price !== -entry.amount || charged.planVersion === null || charged.period !== plan?.period)
    throw new Violation(`CAT-5: ${id} over ${entry.amount} is explained by ${JSON.stringify(charged)}`)
}

const linkOf = ({ id, name, source, topic, lane, offset, time, causationId }: Message): Link => ({
  ...{ id, name, source, topic, offset },
  partition: lane,
  at: time,
  causeId: causationId,
})
