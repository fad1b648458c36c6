import type { Counts, Fact, FactKey, Kind, Kinds } from './kinds.ts'

const noKeys = (): Counts => ({
  available: 0,
  quarantined: 0,
  assigned: 0,
  revocationPending: 0,
  revoked: 0,
  revocationFailed: 0,
  retired: 0,
})

const empty: { readonly [K in Kind]: () => Kinds[K] } = {
  subject: () => ({
    deleted: false,
    version: 0,
    missing: [],
    balance: 0,
    held: 0,
    entries: 0,
    begun: 0,
    charged: 0,
    holds: {},
    charges: {},
    live: {},
    slots: {},
    operations: {},
    versions: {},
    due: {},
    renewals: {},
    topUps: {},
    findings: [],
  }),
  subscription: () => ({
    userId: null,
    providerId: null,
    planId: null,
    planVersion: null,
    price: null,
    period: null,
    state: 'unknown',
    version: 0,
    missing: [],
    inSlot: false,
    termStart: null,
    answered: {},
    paid: 0,
    findings: [],
  }),
  key: () => ({ userId: null, subscriptionId: null, findings: [] }),
  stockKey: () => ({ version: 0, state: null }),
  stock: () => ({ version: 0, told: noKeys(), counts: noKeys(), uploaded: 0 }),
  upload: () => ({ accepted: null }),
  entry: () => ({}),
  plan: () => ({ period: null, price: null }),
  sale: () => ({}),
  extension: () => ({ planId: null, planVersion: null }),
  renewal: () => ({ dueId: null }),
  lane: () => ({
    ...{ balance: 0, held: 0, postings: 0, begun: 0, terms: 0, live: 0, keys: noKeys() },
    shown: { balance: 0, held: 0, entries: 0, begun: 0, charged: 0 },
  }),
}

const nameOf = (kind: Kind, id: string) => `${kind}\n${id}`

/** What is known, by kind and id. What is asked for is given to be changed, and is then among the touched. */
export class Facts {
  readonly #known = new Map<string, Fact>()
  readonly #touched = new Set<string>()
  #askable: ReadonlySet<string> | null = null

  constructor(known: readonly Fact[] = []) {
    for (const fact of known) this.#known.set(nameOf(fact.kind, fact.id), fact)
  }

  of<K extends Kind>(kind: K, id: string): Kinds[K] {
    const name = nameOf(kind, id)
    if (this.#askable && !this.#askable.has(name)) throw new Error(`nobody said that ${kind} ${id} would be asked for`)
    this.#touched.add(name)
    const known = this.#known.get(name)
    if (known) return known.value as Kinds[K]
    const value = empty[kind]()
    this.#known.set(name, { kind, id, value } as Fact)
    return value
  }

  /** Does it with nothing but these at hand. Another, not loaded in this round, would look new and be written over. */
  within(keys: readonly FactKey[], act: () => void) {
    this.#askable = new Set(keys.map(({ kind, id }) => nameOf(kind, id)))
    act()
    this.#askable = null
  }

  peek<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    return this.#known.get(nameOf(kind, id))?.value as Kinds[K] | undefined
  }

  /** Those that were asked for since the last time. */
  takeTouched(): Fact[] {
    const touched = [...this.#touched].map((name) => this.#known.get(name) as Fact)
    this.#touched.clear()
    return touched
  }

  *[Symbol.iterator](): Generator<Fact> {
    yield* this.#known.values()
  }
}
