import { backOff, isTrouble, type LaneWork, type Parts, pause, type Tx } from '@coding-plans/runtime'
import { countOthers, saveWrapped, takeWrapped, type Wrapped } from './store-wrapping.ts'
import type { KeyRing } from './vault.ts'

/** So few at once that nobody waits for the rows; 500 records a second in each instance. */
const PORTION = 100
const EVERY_MILLISECONDS = 200
const TELL_EVERY_MILLISECONDS = 10_000
/** As many that cannot be unwrapped are put aside; then it is not the records that are wrong. */
const MOST_BROKEN = 1_000

type Log = Pick<Parts['log'], 'info' | 'error'>

/** A vault's records come under its present key (VLT-1): the data keys are wrapped anew, what they encrypt is not touched. */
export class Rewrapping {
  readonly #ring: KeyRing
  readonly #broken = new Set<string>()
  #log: Log | undefined
  #done = 0
  #told = { done: 0, at: 0 }

  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  /** None without a previous key. */
  get work(): readonly LaneWork[] {
    if (this.#ring.previous.length === 0) return []
    const run: LaneWork['run'] = async (tx) => {
      const portion = { under: this.#ring.previous, most: PORTION, except: [...this.#broken] }
      const taken = this.#broken.size < MOST_BROKEN ? await takeWrapped(tx, portion) : []
      const wrapped = taken.flatMap((record) => this.#rewrap(record))
      await saveWrapped(tx, wrapped)
      this.#done += wrapped.length
      await this.#tell(tx, taken.length === 0)
      return []
    }
    return [{ name: 'rewrapping', everyMilliseconds: EVERY_MILLISECONDS, unhurried: true, run }]
  }

  /**
   * Shows the progress, and looks that every record can be opened here.
   * @throws Error when some lie under a key that this instance was not given.
   */
  async begin({ log, knex, metrics }: Parts): Promise<void> {
    this.#log = log
    const count = () => this.#count(knex)
    metrics.counted({
      name: 'vault_records',
      help: 'Records under each key-encryption key, but for the present one.',
      labelNames: ['key', 'role'],
      count: async () => (await count()).map(({ records, ...labels }) => ({ labels, value: records })),
    })
    const unknown = (await patiently(count)).filter(({ role }) => role === 'unknown')
    if (unknown.length === 0) return
    const lie = unknown.map(({ key, records }) => `${records} under ${key}`).join(', ')
    throw new Error(
      `The vault holds records whose key-encryption key is not given (${lie}): name it in VAULT_KEY_PREVIOUS.`,
    )
  }

  /** A line for every key: also for those under which nothing lies (any more). */
  async #count(on: Tx | Parts['knex']) {
    const { known, present } = this.#ring
    const others = new Map((await countOthers(on, present)).map((row) => [row.wrappingKeyId, row.records]))
    const keys = new Set([...known, ...others.keys()])
    keys.delete(present)
    return [...keys].map((key) => ({ key, role: this.#ring.roleOf(key), records: others.get(key) ?? 0 }))
  }

  #rewrap(record: Wrapped): Wrapped[] {
    try {
      return [{ ...record, ...this.#ring.rewrap(record, record.record) }]
    } catch {
      // It stays where it is and goes on being counted, so that nobody drops its key unawares.
      this.#broken.add(record.record)
      this.#log?.error({ record: record.record, key: record.wrappingKeyId }, 'A record cannot be unwrapped')
      return []
    }
  }

  async #tell(tx: Tx, atRest: boolean) {
    const { done, at } = this.#told
    if (this.#done === done || (!atRest && Date.now() - at < TELL_EVERY_MILLISECONDS)) return
    this.#told = { done: this.#done, at: Date.now() }
    this.#log?.info({ rewrapped: this.#done, left: await this.#count(tx) }, 'Records are wrapped anew')
  }
}

/** The database may come up later than we do. */
const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let attempt = 0; ; attempt += 1)
    try {
      return await ask()
    } catch (error) {
      if (!isTrouble(error)) throw error
      await pause(backOff(attempt))
    }
}
