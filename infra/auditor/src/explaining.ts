import { type LaneWork, type Saying, say, type Tx } from '@coding-plans/runtime'
import { instant, microdollars, userId } from '@coding-plans/schemas'
import { type Entry, explainingChain, type Link, priceOf } from './fold/index.ts'
import { backgroundOf, closeQuestions, dueIdOf, entryOf, linksOf, openQuestions, type Question } from './store.ts'

const LOOK_EVERY_MILLISECONDS = 250
/** Shorter than who asks waits: it is told that the auditor is behind. */
const ANSWERED_WITHIN_MILLISECONDS = 8_000

/** "Why was I charged?" Answered as soon as every message between the request and the entry has been heard. */
export const explaining: LaneWork = {
  name: 'explaining',
  everyMilliseconds: LOOK_EVERY_MILLISECONDS,
  run: async (tx, lanes, wallClock) => {
    const answers: { operationId: string; saying: Saying }[] = []
    for (const question of await openQuestions(tx, lanes)) {
      const { operationId, askedAt } = question
      const saying =
        (await explain(tx, question)) ?? (wallClock - askedAt > ANSWERED_WITHIN_MILLISECONDS && behind(question))
      if (saying) answers.push({ operationId, saying })
    }
    if (answers.length === 0) return []
    await closeQuestions(
      tx,
      answers.map(({ operationId }) => operationId),
    )
    return answers.map(({ saying }) => saying)
  },
}

const causeOf = (operationId: string) => ({ cause: `explained|${operationId}`, correlationId: operationId })

const behind = ({ userId: user, operationId, entryId }: Question) =>
  say('EntryUnexplained', { userId: userId(user), operationId, entryId, reason: 'behind' }, causeOf(operationId))

/** null: not everything has been heard. */
const explain = async (tx: Tx, { userId: user, operationId, entryId }: Question): Promise<Saying | null> => {
  const entry = await entryOf(tx, entryId)
  if (!entry || entry.userId !== user) return null
  const dueId = await dueIdOf(tx, entry)
  const links = new Map((await linksOf(tx, [entry.messageId, dueId])).map((link) => [link.id, link]))
  const chain = explainingChain(entry.messageId, dueId, (id) => links.get(id))
  if (!chain) return null
  const charged = priceOf(await backgroundOf(tx, entry))
  if (!charged) return null
  const price = charged.price === null ? null : microdollars(charged.price)
  const who = { userId: userId(user), operationId, entryId }
  return say(
    'EntryExplained',
    { ...who, ...told(entry), ...charged, price, chain: chain.map(linkOf) },
    causeOf(operationId),
  )
}

const told = ({ kind, amount, balanceBefore, balanceAfter, at, description, chargeId, subscriptionId }: Entry) => ({
  entryKind: kind,
  amount: microdollars(amount),
  balanceBefore: microdollars(balanceBefore),
  balanceAfter: microdollars(balanceAfter),
  ...{ at, description, chargeId, subscriptionId },
})

const linkOf = ({ id, name, source, topic, partition, offset, at, causeId }: Link) => ({
  messageId: id,
  messageName: name,
  service: source,
  messageTopic: topic,
  partition,
  offset,
  at: instant(at),
  causeId,
})
