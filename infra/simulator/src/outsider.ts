import { chainOf, type Entry, Facts, findingsOf, fold, type Link, passingOf } from '@coding-plans/auditor/fold'
import type { Message } from '@coding-plans/runtime'
import type { Random } from './random.ts'
import { Violation } from './watch.ts'
import type { World } from './world.ts'

/** What the auditor, who knows the topics and nothing else, makes of all that was said. @throws Violation */
export const askOutsider = ({ broker }: Pick<World, 'broker'>, random: Random) => {
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
    if (fact.kind === 'entry') explain(fact.id, fact.value as Entry, said)
  }
}

/** Who asks why they were charged is told everything from the request, or the due term, to the entry. */
const explain = (id: string, { messageId }: Entry, said: ReadonlyMap<string, Link>) => {
  const { chain, closed } = chainOf(messageId, (one) => said.get(one))
  const [root] = chain
  if (!closed) throw new Violation(`the chain of ${id} does not close before ${root?.name ?? messageId}`)
  if (root?.source !== 'gateway' && root?.source !== 'billing-scheduler')
    throw new Violation(`the chain of ${id} begins with ${root?.name} of ${root?.source}`)
}

const linkOf = ({ id, name, source, topic, lane, offset, time, causationId }: Message): Link => ({
  ...{ id, name, source, topic, offset },
  partition: lane,
  at: time,
  causeId: causationId,
})
