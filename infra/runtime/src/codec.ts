import { Agent } from 'node:https'
import { type Bodies, type MessageName, messageNames, routes, topicOf } from '@coding-plans/schemas'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import avsc, { type Type } from 'avsc'
import { Nonsense } from './failures.ts'
import { callRegistry, type RegistryAddress } from './registry-call.ts'

const MAGIC_BYTE = 0
const HEADER_BYTES = 5
const FORGET_UNKNOWN_AFTER_MILLISECONDS = 30_000
const ANSWERS_WITHIN_MILLISECONDS = 2_000
const OK = 200

type Resolver = ReturnType<Type['createResolver']>

/** Avro of the Confluent wire format, with types compiled once and resolvers cached by writer id; synchronous once prepared. */
export class Codec {
  readonly #registry: SchemaRegistry
  readonly #address: RegistryAddress
  readonly #types = new Map<MessageName, Type>()
  readonly #writerIds = new Map<string, number>()
  readonly #readers = new Map<number, { name: MessageName; resolver: Resolver | null } | null>()
  readonly #unknownUntil = new Map<number, number>()

  /** @param ca who vouches for the registry (PEM); absent: whom this machine trusts */
  constructor(registryUrl: string, ca?: string) {
    this.#address = { registryUrl, registryCa: ca }
    // The client's retries stay short: whoever asks has a back-off of its own.
    this.#registry = new SchemaRegistry({
      host: registryUrl,
      ...(ca ? { agent: new Agent({ ca }) } : {}),
      retry: { retries: 1, maxRetryTimeInSecs: 2, initialRetryTimeInSecs: 0.1 },
    })
    for (const name of messageNames)
      this.#types.set(name, avsc.Type.forSchema(routes[name].schema as unknown as avsc.Schema))
  }

  /** Learn the registry's ids of all messages, as `speaker` would say them. @throws if one is not registered: a service never registers. */
  async learn(speaker: string) {
    await Promise.all(
      messageNames.map(async (name) => {
        const subject = subjectOf(name, speaker)
        try {
          const id = await this.#registry.getRegistryIdBySchema(subject, {
            type: 'AVRO' as never,
            schema: JSON.stringify(routes[name].schema),
          })
          this.#writerIds.set(name, id)
          this.#readers.set(id, { name, resolver: null })
        } catch (error) {
          if (isNotFound(error))
            throw new UnregisteredSchema(`The schema of ${name} is not registered under ${subject}.`)
          throw error
        }
      }),
    )
  }

  /** Whether the registry answers at this moment, whatever was learnt from it before. */
  async registryAnswers(): Promise<boolean> {
    try {
      const question = { path: '/subjects', withinMilliseconds: ANSWERS_WITHIN_MILLISECONDS }
      return (await callRegistry(this.#address, question)).status === OK
    } catch {
      return false
    }
  }

  encode<Name extends MessageName>(name: Name, body: Bodies[Name]): Buffer {
    const type = this.#types.get(name)
    const id = this.#writerIds.get(name)
    if (!type || id === undefined) throw new Nonsense(`${name} was never learnt from the registry.`)
    let payload: Buffer
    try {
      payload = type.toBuffer(body)
    } catch (error) {
      // avsc names the path and the value; the path alone is safe to repeat.
      throw new Nonsense(`${name} does not fit its schema (${String((error as Error).message).split(':')[0]}).`)
    }
    const buffer = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
    buffer.writeUInt8(MAGIC_BYTE, 0)
    buffer.writeUInt32BE(id, 1)
    payload.copy(buffer, HEADER_BYTES)
    return buffer
  }

  /** Make sure that the writer of these bytes is known. Asks the registry once per id. @throws trouble if it is silent. */
  async prepare(value: Buffer | null): Promise<void> {
    const id = writerIdOf(value)
    if (id === null || this.#readers.has(id)) return
    const unknownUntil = this.#unknownUntil.get(id)
    if (unknownUntil !== undefined && unknownUntil > Date.now()) return
    try {
      const writer = (await this.#registry.getSchema(id)) as unknown as Type
      const name = messageNames.find((known) => this.#types.get(known)?.name === writer.name)
      const reader = name && this.#types.get(name)
      this.#readers.set(id, name && reader ? { name, resolver: reader.createResolver(writer) } : null)
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#unknownUntil.set(id, Date.now() + FORGET_UNKNOWN_AFTER_MILLISECONDS)
    }
  }

  /** Which message these bytes are; null: one that this code does not know (another service's future). @throws Nonsense */
  nameOf(value: Buffer | null): MessageName | null {
    const id = writerIdOf(value)
    if (id === null) throw new Nonsense('The record is not Avro in the registry’s wire format.')
    const reader = this.#readers.get(id)
    if (reader === undefined) throw new Nonsense(`The registry knows no schema ${id}.`)
    return reader?.name ?? null
  }

  /** @throws Nonsense if the bytes do not fit their schema. */
  decode<Name extends MessageName>(name: Name, value: Buffer): Bodies[Name] {
    const reader = this.#readers.get(writerIdOf(value) ?? -1)
    const type = this.#types.get(name)
    try {
      if (!type || !reader) throw new Error('unprepared')
      return type.fromBuffer(value.subarray(HEADER_BYTES), reader.resolver ?? undefined, false) as Bodies[Name]
    } catch {
      throw new Nonsense(`The bytes of ${name} do not fit their schema.`)
    }
  }
}

/** The registry's subject of a message: `<topic>-<record full name>`. */
export const subjectOf = (name: MessageName, speaker: string) =>
  `${topicOf(name, speaker)}-${routes[name].schema.namespace}.${name}`

/** A deployment forgot a schema: nothing that retrying would mend. */
export class UnregisteredSchema extends Error {
  override readonly name = 'UnregisteredSchema'
}

const writerIdOf = (value: Buffer | null) =>
  value && value.length >= HEADER_BYTES && value[0] === MAGIC_BYTE ? value.readUInt32BE(1) : null

// The package drops the status of a 404 when it looks a schema up; the words are Apicurio's and Confluent's.
const isNotFound = (error: unknown) => {
  const { status, message } = (error ?? {}) as { status?: number; message?: string }
  return status === 404 || /not found|no schema|no artifact|40403|40401/i.test(message ?? '')
}
