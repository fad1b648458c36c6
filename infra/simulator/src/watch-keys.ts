import type { Message } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import { NewRows, type RowOf, Violation } from './rows.ts'
import type { World } from './world.ts'

type Tables = World['rooms']['inventory']['tables']
type Key = RowOf<Tables['keys']>['key']

const OWN_KEY_COMMANDS: ReadonlySet<string> = new Set(['PutOwnKey', 'EnableOwnKey', 'DeleteOwnKey'])

const placeOf = ({ userId, providerId }: { readonly userId: string; readonly providerId: string }) =>
  `${userId}|${providerId}`

/** Keys, slots and counts of the inventory, after each of its rounds. */
export class KeyWatch {
  readonly #tables: Tables
  readonly #rows = new NewRows()
  /** Key → who it was assigned to first, and the subscription that it was for. */
  readonly #owners = new Map<string, string>()
  /** Slot → the key that was assigned to it last. */
  readonly #given = new Map<string, string>()
  #ownKeys = new Map<string, string>()

  constructor({ rooms }: Pick<World, 'rooms'>) {
    this.#tables = rooms.inventory.tables
  }

  /** @throws Violation */
  after(messages: readonly Message[]) {
    for (const { key } of this.#rows.of(this.#tables.keys)) {
      this.#hasOneOwner(key)
      this.#isAlone(key)
    }
    this.#ownKeysStay(messages)
    this.#slots()
    this.#counts()
    this.#soldOut(messages)
  }

  /** One user and one subscription, for its life; what was sold is never stock again. */
  #hasOneOwner({ id, state, assignment }: Key) {
    const owner = this.#owners.get(id)
    if (!assignment && owner) throw new Violation(`4: ${id} was ${owner}’s and is ${state}`)
    // Without a name: its user is deleted.
    if (!assignment?.userId) return
    const user = `${assignment.userId}|${assignment.subscriptionId}`
    this.#owners.set(id, owner ?? user)
    if (owner && owner !== user) throw new Violation(`4: ${id} was ${owner}’s and is ${user}’s`)
  }

  #isAlone({ id, providerId, assignment, endedAt }: Key) {
    if (!assignment?.userId || endedAt !== null) return
    const place = placeOf({ userId: assignment.userId, providerId })
    const other = this.#tables.keys.get(this.#given.get(place) ?? id)?.key
    this.#given.set(place, id)
    if (other && other.id !== id && other.endedAt === null) throw new Violation(`6: ${place} has ${other.id} and ${id}`)
  }

  /** What a plan keeps in a slot is assigned to its subscription; and whoever asks is told so (SLT-4). */
  #slots() {
    const { slots, keys, entitlements } = this.#tables
    for (const { slot } of slots) {
      if (slot.managedBy !== 'plan') continue
      const key = keys.get(slot.keyId ?? '')?.key
      const isIts = key?.assignment?.subscriptionId === slot.subscriptionId
      if (!isIts || key?.state !== 'assigned' || key.endedAt !== null)
        throw new Violation(`7: ${slot.subscriptionId} has ${slot.keyId} in its slot, which is ${key?.state}`)
    }
    for (const one of entitlements) {
      const slot = slots.get(placeOf(one))?.slot
      if (one.managedBy !== (slot?.managedBy ?? 'none'))
        throw new Violation(
          `SLT-4: ${one.userId} is entitled by ${one.managedBy}, and the slot is ${slot?.managedBy}’s`,
        )
    }
  }

  #counts() {
    const { keys, stocks } = this.#tables
    const found = new Map<string, number>()
    const add = (name: string) => found.set(name, (found.get(name) ?? 0) + 1)
    for (const { key } of keys) {
      add(key.planId)
      add(`${key.planId}|${key.state}`)
    }
    for (const { planId, counts, uploaded } of stocks) {
      const told = Object.entries(counts).map(([state, count]) => [`${planId}|${state}`, count] as const)
      for (const [name, count] of [[planId, uploaded] as const, ...told])
        if (count !== (found.get(name) ?? 0))
          throw new Violation(`11: of ${name} there are ${found.get(name) ?? 0} keys, and ${count} are told`)
    }
  }

  /** Said at the end of a round to which no keys were added: then none is left. */
  #soldOut(messages: readonly Message[]) {
    const { keys, answers } = this.#tables
    // What is answered again was true when it was said.
    const fresh = new Set(this.#rows.of(answers))
    if (messages.some(({ name }) => name === 'UploadKeys')) return
    for (const { body, name, asOf } of messages) {
      if (name !== 'AssignKey') continue
      const { assignmentId, planId } = body as Bodies['AssignKey']
      const answer = answers.get(assignmentId)
      if (!answer || !fresh.has(answer) || answer.saying.name !== 'KeyDeclined') continue
      if ((answer.saying.body as Bodies['KeyDeclined']).reason !== 'sold_out') continue
      const left = keys.where(
        ({ key }) =>
          key.planId === planId && key.state === 'available' && (key.expiresAt === null || key.expiresAt > asOf),
      )
      if (left.length > 0) throw new Violation(`INV-5: ${planId} is said to be sold out with ${left.length} keys left`)
    }
  }

  /** What its user put there changes by its user's commands alone. */
  #ownKeysStay(messages: readonly Message[]) {
    const touched = new Set(
      messages.flatMap(({ name, body, key }) => {
        if (name === 'UnlinkKeys') return [key]
        return OWN_KEY_COMMANDS.has(name) ? [`${key}|${(body as { providerId: string }).providerId}`] : []
      }),
    )
    const now = new Map<string, string>()
    for (const { slot, envelope } of this.#tables.slots)
      if (slot.managedBy === 'user') now.set(placeOf(slot), `${envelope?.ciphertext.toString()} ${slot.enabled}`)
    for (const [place, before] of this.#ownKeys) {
      const [user = ''] = place.split('|')
      if (now.get(place) !== before && !touched.has(place) && !touched.has(user))
        throw new Violation(`8: the key that the user put at ${place} is changed`)
    }
    this.#ownKeys = now
  }
}
