import type { Instant, MessageName } from '@coding-plans/schemas'
import type { Knex } from 'knex'
import { deadLetterOf, failureOf, isLetterCommand, keyOfRecord, type LetterCommand } from './dead-letter.ts'
import { type DecidingParts, decideAll } from './deciding.ts'
import { isTrouble, isUniqueViolation, Nonsense, Poisoned } from './failures.ts'
import type { Message, Tx } from './handler.ts'
import type { Item } from './item.ts'
import { type LaneMove, openRound, rememberDead, seenKey } from './lanes.ts'
import { isMarked, keepLetter, type Letter } from './letters.ts'
import { appendOutbox, type Owed, type Parcel } from './outbox.ts'
import { isLastWord } from './record-key.ts'
import { answerLetterCommand, concludeRedrives, newsOfKept } from './redrive.ts'
import { inTransaction } from './transaction.ts'

export interface RoundResult {
  readonly moved: ReadonlySet<number>
  readonly parcels: readonly Parcel[]
  readonly handled: number
  readonly deadLetters: number
  /** Calls to the outside that are owed from now on. */
  readonly calls: number
}

export interface RoundParts<State> extends DecidingParts<State> {
  readonly knex: Knex
  /** Wall clock. */
  readonly now: () => Instant
  /** Throws when so many dead letters more are a bad deployment. */
  readonly allows: (deadLetters: number) => void
}

/** The first copy of each message that is remembered as seen, with the place it came in. */
const firstCopies = (items: readonly Item[], isRemembered: (name: MessageName) => boolean): Map<Message, Item> => {
  const seen = new Set<string>()
  const first = new Map<Message, Item>()
  for (const item of items) {
    if (!item.message || !isRemembered(item.message.name) || seen.has(seenKey(item.message))) continue
    seen.add(seenKey(item.message))
    first.set(item.message, item)
  }
  return first
}

const TRIES_ALONE = 3

/**
 * One round: positions, seen ids, load → decide → save, answers and dead letters, in one transaction.
 * A poisoned message is taken out and the round starts over without it, with fresh state. @throws trouble
 */
export const takeRound = async <State>(
  parts: RoundParts<State>,
  items: readonly Item[],
  moves: readonly LaneMove[],
  published: readonly number[],
): Promise<RoundResult> => {
  const poison = new Map<Message, string>()
  let careful = false
  let collided = false
  for (;;) {
    try {
      return await inTransaction(parts.knex, (tx) =>
        new Round(parts, tx, poison, careful).take(items, moves, published),
      )
    } catch (error) {
      if (error instanceof Poisoned) {
        poison.set(error.poisoned, error.message)
        parts.allows(poison.size)
        continue
      }
      if (isUniqueViolation(error) && !collided) {
        collided = true // two processes raced; the second look sees what the first wrote
        continue
      }
      if (isTrouble(error) || careful) throw error
      careful = true // an SQL error that stays: find the message it stays with
    }
  }
}

class Round<State> {
  readonly #parts: RoundParts<State>
  readonly #tx: Tx
  readonly #poison: Map<Message, string>
  readonly #careful: boolean
  readonly #now: Instant
  #calls = 0

  constructor(parts: RoundParts<State>, tx: Tx, poison: Map<Message, string>, careful: boolean) {
    this.#parts = parts
    this.#tx = tx
    this.#poison = poison
    this.#careful = careful
    this.#now = parts.now()
  }

  async take(items: readonly Item[], moves: readonly LaneMove[], published: readonly number[]): Promise<RoundResult> {
    const tx = this.#tx
    const { judgedByVersion } = this.#parts.handler
    const isRemembered = (name: MessageName) =>
      isLetterCommand({ name }) || (!isLastWord(name) && !judgedByVersion?.has(name))
    const first = firstCopies(items, isRemembered)
    const { moved, unseen } = await openRound(tx, moves, [...first.keys()], published)
    // Nonsense that has no id is judged by its position alone; every other message once, by its first copy.
    const fresh = items.filter((item) => {
      if (!moved.has(item.lane)) return false
      if (item.nonsense !== undefined) return true
      if (item.message === null) return false
      if (!isRemembered(item.message.name)) return true
      return first.get(item.message) === item && unseen.has(seenKey(item.message))
    })
    const good = fresh.flatMap(({ message }) => (message && !this.#poison.has(message) ? [message] : []))
    const copies = items.filter((item) => isMarked(item) && moved.has(item.lane))
    // Without anything about dead letters, nor a look at single messages, what is said is written in one breath with what is saved.
    if (!this.#careful && fresh.length === good.length && copies.length === 0 && !good.some(isLetterCommand)) {
      const { said, saved } = await this.#decide(tx, good)
      const [parcels] = await Promise.all([appendOutbox(tx, said), saved()])
      return { moved, parcels, handled: good.length, deadLetters: 0, calls: this.#calls }
    }
    const { service, handler } = this.#parts
    const asked = good.filter(({ name }) => handler.decide[name])
    const commands = good.filter(isLetterCommand).filter(({ body }) => body.service === service)
    const said = this.#careful ? await this.#attempt(tx, asked) : await this.#run(tx, asked)
    const answers = await this.#answer(commands)
    const { letters, told } = await this.#bury(fresh)
    const concluded = await concludeRedrives(this.#parts, tx, copies, this.#now)
    const parcels = await appendOutbox(tx, [...said, ...answers, ...told, ...letters, ...concluded])
    return { moved, parcels, handled: good.length, deadLetters: letters.length, calls: this.#calls }
  }

  /** What is asked of dead letters, one after the other. @throws Poisoned */
  async #answer(commands: readonly LetterCommand[]): Promise<Owed[]> {
    const said: Owed[] = []
    for (const command of commands)
      try {
        const answer = (tx: Tx) => answerLetterCommand(this.#parts, tx, command, this.#now)
        said.push(...(await this.#tx.savepoint(answer)))
      } catch (error) {
        if (isTrouble(error)) throw error
        throw new Poisoned(command, error)
      }
    return said
  }

  /** load → decide each, in order. `saved` is yet to be called. @throws Poisoned */
  async #decide(tx: Tx, messages: readonly Message[]) {
    const { said, called, saved } = await decideAll(this.#parts, tx, messages, this.#now)
    this.#calls += called.length
    return { said, saved }
  }

  /** load → decide each, in order → save. @throws Poisoned */
  async #run(tx: Tx, messages: readonly Message[]) {
    const { said, saved } = await this.#decide(tx, messages)
    await saved()
    return said
  }

  /** As run, but an SQL error that stays is followed to the message it stays with: halve by user, then by order. */
  async #attempt(tx: Tx, messages: readonly Message[], tries = 1): Promise<Owed[]> {
    try {
      return await tx.savepoint((savepoint) => this.#run(savepoint, messages))
    } catch (error) {
      if (error instanceof Poisoned || isTrouble(error)) throw error
      if (messages.length === 1) {
        if (tries < TRIES_ALONE) return this.#attempt(tx, messages, tries + 1)
        throw new Poisoned(messages[0] as Message, new Nonsense(`The database refuses it (${sqlStateOf(error)}).`))
      }
      const [left, right] = halve(messages)
      return [...(await this.#attempt(tx, left)), ...(await this.#attempt(tx, right))]
    }
  }

  /** Dead letters, and in the same transaction whoever waits is told: by `CommandFailed`, and the saga by its own cell. */
  async #bury(items: readonly Item[]) {
    const { service, scribe, handler } = this.#parts
    const dead = items.flatMap((item) => {
      const reason = item.nonsense ?? (item.message && this.#poison.get(item.message))
      return reason === undefined || reason === null ? [] : [{ item, reason }]
    })
    if (dead.length === 0) return { letters: [], told: [] }
    this.#parts.allows(dead.length)
    const messages = dead.flatMap(({ item }) => (item.message ? [item.message] : []))
    const unread = dead.flatMap(({ item }) => (item.message ? [] : keyOfRecord(item.headers)))
    await rememberDead(this.#tx, messages, unread)
    const letters = dead.map(({ item, reason }) => ({
      ...deadLetterOf(service, item, reason, this.#now),
      owner: item.lane,
    }))
    const kept = await this.#keep(dead)
    const news = kept.flatMap(({ letter, owner }) =>
      scribe.write(newsOfKept(service, letter), null, this.#now).map((record) => ({ ...record, owner })),
    )
    const failures = dead.flatMap(({ item, reason }) => failureOf(service, item, reason, this.#now) ?? [])
    const told = failures.flatMap((failure) =>
      scribe
        .write([{ name: 'CommandFailed', body: failure.body, cause: `dead|${failure.messageId}` }], failure, this.#now)
        .map((record) => ({ ...record, owner: failure.lane })),
    )
    const sagas = handler.decide.CommandFailed ? await this.#tellSagas(failures) : []
    return { letters, told: [...told, ...news, ...sagas] }
  }

  /** Beside the dead-letter topic, for whoever lists, rehearses and redrives them. */
  async #keep(dead: readonly { item: Item; reason: string }[]): Promise<{ letter: Letter; owner: number }[]> {
    const kept: { letter: Letter; owner: number }[] = []
    for (const one of dead) {
      const letter = await keepLetter(this.#tx, this.#parts.service, one, this.#now)
      kept.push({ letter, owner: one.item.lane })
    }
    return kept
  }

  async #tellSagas(failures: readonly Message<'CommandFailed'>[]) {
    const said: Owed[] = []
    for (const failure of failures)
      try {
        said.push(...(await this.#tx.savepoint((savepoint) => this.#run(savepoint, [failure]))))
      } catch (error) {
        if (isTrouble(error)) throw error
        // The failure of a failure: the dead letter alone remains.
      }
    return said
  }
}

const sqlStateOf = (error: unknown) => String((error as { code?: unknown }).code ?? 'unknown')

const halve = (messages: readonly Message[]): [Message[], Message[]] => {
  const users = [...new Set(messages.map(({ key }) => key))]
  if (users.length === 1) {
    const middle = messages.length >> 1
    return [messages.slice(0, middle), messages.slice(middle)]
  }
  const left = new Set(users.slice(0, users.length >> 1))
  return [messages.filter(({ key }) => left.has(key)), messages.filter(({ key }) => !left.has(key))]
}
