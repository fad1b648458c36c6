import type { UserId } from '@coding-plans/schemas'
import type { ManagedBy } from './slot.ts'
import type { Term } from './term.ts'

/** What any model gateway is told of a user and a provider (SLT-4). */
export interface Entitlement {
  readonly userId: UserId
  readonly providerId: string
  readonly managedBy: ManagedBy
  /** The stock's key, or the place of the user's own; never what it opens. */
  readonly keyReference: string | null
  readonly enabled: boolean
  /** A plan's key has one; the user's own has no end. */
  readonly term: Term | null
  /** Its own, raised by everything that is said of it; 0: nothing ever was. */
  readonly version: number
  /** The newest that has come back to us on the topic. */
  readonly heardVersion: number
}

type Content = Pick<Entitlement, 'managedBy' | 'keyReference' | 'enabled' | 'term'>

const nothing: Content = { managedBy: 'none', keyReference: null, enabled: false, term: null }

export const noEntitlement = (userId: UserId, providerId: string): Entitlement => ({
  userId,
  providerId,
  ...nothing,
  version: 0,
  heardVersion: 0,
})

/** Something else is in the slot, or the same place holds another key: readers are told in any case. */
export const entitle = (before: Entitlement, content: Content): Entitlement => ({
  ...before,
  ...content,
  version: before.version + 1,
})

/** At once: no access once the end is said. */
export const withdraw = (before: Entitlement): Entitlement => entitle(before, nothing)

/** What was heard of its subscription. Readers are told what concerns them: until when. */
export const learn = (before: Entitlement, term: Term): Entitlement =>
  before.term?.validUntil === term.validUntil ? { ...before, term } : entitle(before, { ...before, term })

/** One of ours came back. @throws for one that we never said: there is one writer. */
export const hear = (present: Entitlement, version: number): Entitlement => {
  if (version > present.version)
    throw new Error(`Version ${version} of an entitlement is not ours, which is at ${present.version}.`)
  return version > present.heardVersion ? { ...present, heardVersion: version } : present
}

/**
 * Whether an older one is the last of the log, as far as it was read: the present one was met before it. Not yet met, the
 * present one is behind it.
 */
export const isLast = ({ version, heardVersion }: Entitlement, heard: number) =>
  heard < version && heardVersion === version
