import { type Saying, say } from '@coding-plans/runtime'
import type { UserId } from '@coding-plans/schemas'
import { type Entitlement, entitle, noEntitlement, withdraw } from './domain/entitlement.ts'
import type { Slot } from './domain/slot.ts'
import type { Term } from './domain/term.ts'
import { recordOfSlot } from './vault.ts'

const placeOf = ({ userId, providerId }: Pick<Entitlement, 'userId' | 'providerId'>) => `${providerId}|${userId}`

/** The entitlements of a round's users, under their locks. One is said before the answer that rests on it. */
export class Entitlements {
  readonly #byPlace: Map<string, Entitlement>
  readonly #said = new Set<string>()
  readonly #changed = new Set<string>()

  constructor(entitlements: readonly Entitlement[]) {
    this.#byPlace = new Map(entitlements.map((one) => [placeOf(one), one]))
  }

  /** As the round leaves them. */
  get changed(): Entitlement[] {
    return [...this.#changed].flatMap((place) => this.#byPlace.get(place) ?? [])
  }

  of(userId: UserId, providerId: string): Entitlement {
    const none = noEntitlement(userId, providerId)
    return this.#byPlace.get(placeOf(none)) ?? none
  }

  ofUser(userId: UserId): Entitlement[] {
    return [...this.#byPlace.values()].filter((one) => one.userId === userId)
  }

  /** The one that this subscription gives, if its key is in a slot. */
  givenBy(userId: UserId, subscriptionId: string): Entitlement | null {
    return this.ofUser(userId).find(({ term }) => term?.subscriptionId === subscriptionId) ?? null
  }

  /** @returns what readers are told, if anything is new for them. */
  put(after: Entitlement): Saying[] {
    const before = this.of(after.userId, after.providerId)
    this.#byPlace.set(placeOf(after), after)
    this.#changed.add(placeOf(after))
    return after.version === before.version ? [] : this.#tell(after)
  }

  /** The present one once more, unless this round has said it already. Nothing of it changes, the version neither. */
  sayAgain(present: Entitlement): Saying[] {
    return this.#said.has(placeOf(present)) ? [] : this.#tell(present)
  }

  #tell(entitlement: Entitlement): Saying[] {
    const { userId, providerId, managedBy, keyReference, enabled, term, version } = entitlement
    this.#said.add(placeOf(entitlement))
    const [subscriptionId, validUntil] = [term?.subscriptionId ?? null, term?.validUntil ?? null]
    const body = { userId, providerId, managedBy, keyReference, subscriptionId, enabled, validUntil, version }
    // Not of the message's own numbering: a command that comes again says only its answer, under the same id as before.
    return [say('EntitlementChanged', body, { cause: `entitlement|${userId}|${providerId}|${version}` })]
  }
}

/** The slot holds something else than before; a plan's key comes with its term. */
export const entitleBySlot = (entitlements: Entitlements, slot: Slot, term: Term | null = null): Saying[] => {
  const { userId, providerId, managedBy, keyId, enabled } = slot
  const before = entitlements.of(userId, providerId)
  if (managedBy === 'none') return entitlements.put(withdraw(before))
  const keyReference = keyId ?? recordOfSlot(userId, providerId)
  return entitlements.put(entitle(before, { managedBy, keyReference, enabled, term }))
}

/** Whatever a deleted user had is withdrawn; that nothing is left stays known, so that it can be said again (GDP-1). */
export const withdrawAll = (entitlements: Entitlements, userId: UserId): Saying[] =>
  entitlements
    .ofUser(userId)
    .filter(({ managedBy }) => managedBy !== 'none')
    .flatMap((one) => entitlements.put(withdraw(one)))
