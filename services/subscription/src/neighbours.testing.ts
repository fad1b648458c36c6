import type { Bed } from '@coding-plans/local/bed'
import { type Message, pause } from '@coding-plans/runtime'
import type { Heard, Listener, Speaker } from '@coding-plans/runtime/testing'
import { instant, type MessageName, topicOf } from '@coding-plans/schemas'
import { InventoryModel, LedgerModel } from './participants.testing.ts'
import { failureOf } from './world.testing.ts'

const CREDITS = 1_000

/** Ledger and inventory on real topics, as far as this service knows them: they answer in the order they hear. */
export class Neighbours {
  readonly ledger = new LedgerModel()
  readonly inventory = new InventoryModel()
  /** Say every answer twice. */
  twice = false
  /** User → how many of that user's captures are yet to fail. */
  readonly failing = new Map<string, number>()
  readonly #heard: Listener
  readonly #speakers: { readonly [service: string]: Speaker }
  #stopped = false
  readonly #answering: Promise<void>

  static async open(bed: Bed) {
    const heard = await bed.listener(['credits-ledger.commands', 'key-inventory.commands'])
    const services = ['credits-ledger', 'key-inventory']
    const speakers = await Promise.all(services.map(async (service) => [service, await bed.speaker(service)] as const))
    return new Neighbours(heard, Object.fromEntries(speakers))
  }

  constructor(heard: Listener, speakers: { readonly [service: string]: Speaker }) {
    this.#heard = heard
    this.#speakers = speakers
    this.inventory.stock('acme-coding', 10_000)
    this.#answering = this.#answerAll()
  }

  async close() {
    this.#stopped = true
    await this.#answering
  }

  async #answerAll() {
    for (const follow = this.#heard.follow(); !this.#stopped; await pause(5)) {
      const news = follow()
      for (const [service, speaker] of Object.entries(this.#speakers)) {
        const answers = news
          .filter(({ topic }) => topic.startsWith(service))
          .map((one) => this.#answer(service, speaker, one))
        if (answers.length > 0)
          await speaker.say(answers.flatMap((answer) => (this.twice ? [answer, answer] : [answer])))
      }
    }
  }

  #answer(service: string, speaker: Speaker, { id, key, name, body, headers }: Heard) {
    const command = { id, key, name: name as MessageName, body } as Message
    if (name === 'HoldCredits' && !this.ledger.available.has(key)) this.ledger.post(key, CREDITS)
    const [said] = this.#fails(command)
      ? [failureOf(command)]
      : service === 'credits-ledger'
        ? this.ledger.handle(command)
        : this.inventory.handle(command)
    if (!said) throw new Error(`${name} is not answered.`)
    const time = instant(Date.parse(headers.ce_time ?? ''))
    const how = { cause: id, time, correlationId: headers.ce_correlationid ?? '' }
    const record = speaker.record(said.name, said.body, how)
    return { ...record, topic: topicOf(said.name, service) }
  }

  #fails({ name, key }: Message) {
    const left = this.failing.get(key) ?? 0
    if (name !== 'CaptureHold' || left === 0) return false
    this.failing.set(key, left - 1)
    return true
  }
}
