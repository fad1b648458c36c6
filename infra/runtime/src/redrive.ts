import type { Bodies, Instant, MessageName } from '@coding-plans/schemas'
import { isRedrive, type LetterCommand, type Redrive, type Rehearsal } from './dead-letter.ts'
import type { DecidingParts } from './deciding.ts'
import { say } from './handler.ts'
import { isMessageId } from './ids.ts'
import type { Item } from './item.ts'
import {
  beginRedrive,
  endRedrives,
  findLetter,
  type Letter,
  MOST_REDRIVES,
  markOf,
  newsOf,
  redrivenTopicOf,
  withMark,
} from './letters.ts'
import type { Owed } from './outbox.ts'
import { type Recalled, rehearse } from './rehearsal.ts'
import type { Tx } from './transaction.ts'

type Refusal = Bodies['DeadLetterRefused']['reason']

const refused = ({ body: { subject, deadLetterId, operationId } }: LetterCommand, service: string, reason: Refusal) =>
  say('DeadLetterRefused', { subject, deadLetterId, service, operationId, reason })

/** Carry out what is asked of a dead letter, in the round's transaction. @returns what is said, and the copy that is sent. */
export const answerLetterCommand = async <State>(
  parts: DecidingParts<State>,
  tx: Tx,
  message: LetterCommand,
  now: Instant,
): Promise<Owed[]> => {
  const { copy, said } = isRedrive(message)
    ? await redrive(parts.service, tx, message)
    : { copy: [], said: await rehearsed(parts, tx, message, now) }
  const told = parts.scribe.write(said, message, now)
  return [...copy, ...told].map((record) => ({ ...record, owner: message.lane }))
}

/** Who did what to which letter (AUD-1): a rehearsal changes nothing, but shows what is a user's. */
const audited = (service: string, message: LetterCommand, letter: Letter, after: object) =>
  say('ActionAudited', {
    subject: message.body.subject,
    actor: message.body.actor,
    action: isRedrive(message) ? 'dead_letter.redrive' : 'dead_letter.rehearse',
    target: letter.id,
    before: JSON.stringify({
      service,
      messageName: letter.messageName,
      reason: letter.reason,
      redrives: letter.redrives,
    }),
    after: JSON.stringify(after),
    reason: null,
    at: message.asOf,
  })

const redrive = async (service: string, tx: Tx, message: Redrive) => {
  const { deadLetterId, operationId } = message.body
  // Any lane's owner may be asked: the row is what they take turns at.
  const letter = await findLetter(tx, deadLetterId, 'for update')
  const no = (reason: Refusal) => ({ copy: [], said: [refused(message, service, reason)] })
  if (!letter) return no('not_found')
  if (letter.state === 'redriving') return no('redrive_under_way')
  // Done with: whoever asks again is told so again.
  if (letter.state === 'redriven')
    return { copy: [], said: [say('DeadLetterRedriven', { ...newsOf(service, letter), operationId })] }
  if (letter.redrives >= MOST_REDRIVES) return no('redrive_limit')
  const begun = await beginRedrive(tx, letter.id, operationId, message.asOf)
  const { redrives, state } = begun
  return { copy: [copyOf(service, begun)], said: [audited(service, message, letter, { redrives, state })] }
}

/** The record as it was, for ourselves alone. */
const copyOf = (service: string, letter: Letter) => {
  const { partition: lane, key, value } = letter
  return { topic: redrivenTopicOf(service), lane, key, value, headers: withMark(service, letter) }
}

const rehearsed = async <State>(parts: DecidingParts<State>, tx: Tx, message: Rehearsal, now: Instant) => {
  const recalled = message.prepared as Recalled | null
  const { service } = parts
  if (!recalled) return [refused(message, service, 'not_found')]
  const { subject, deadLetterId, operationId } = message.body
  const report = await rehearse(parts, tx, recalled, now)
  const { succeeds } = report
  return [
    say('DeadLetterRehearsed', { subject, deadLetterId, service, operationId, ...report }),
    audited(service, message, recalled.letter, { succeeds }),
  ]
}

/** The message that it goes back to, if it had a name. */
const becauseOf = ({ messageId }: Letter) => (messageId && isMessageId(messageId) ? { because: messageId } : {})

/** Copies that came and did not die: their letters are done with. */
export const concludeRedrives = async <State>(
  { service, scribe }: DecidingParts<State>,
  tx: Tx,
  copies: readonly Item[],
  now: Instant,
): Promise<Owed[]> => {
  const marked = copies.flatMap(({ headers, lane }) => {
    const mark = markOf(service, headers)
    return mark ? [{ mark, lane }] : []
  })
  const letters = await endRedrives(
    tx,
    marked.map(({ mark }) => mark),
  )
  return letters.flatMap((letter) => {
    const owner = marked.find(({ mark }) => mark.id === letter.id)?.lane as number
    const news = say('DeadLetterRedriven', newsOf(service, letter), {
      cause: `redriven|${letter.id}|${letter.version}`,
      ...becauseOf(letter),
      correlationId: letter.operationId ?? letter.correlationId,
      time: letter.redrivenAt ?? now,
    })
    return scribe.write([news], null, now).map((record) => ({ ...record, owner }))
  })
}

/** The news of a letter that is kept. Of the news of letters none is told: it would have to be told of itself. */
export const newsOfKept = (service: string, letter: Letter) =>
  aboutLetters.has(letter.messageName)
    ? []
    : [
        say('DeadLetterKept', newsOf(service, letter), {
          cause: `kept|${letter.id}|${letter.version}`,
          ...becauseOf(letter),
          correlationId: letter.operationId ?? letter.correlationId,
          ...(letter.redrivenAt === null ? {} : { time: letter.redrivenAt }),
        }),
      ]

const aboutLetters: ReadonlySet<string> = new Set<MessageName>([
  'DeadLetterKept',
  'DeadLetterRedriven',
  'DeadLetterRefused',
  'DeadLetterRehearsed',
])
