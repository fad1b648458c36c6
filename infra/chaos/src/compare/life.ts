import type { Client } from '@coding-plans/e2e/house'
import type { Memory } from '../memory.ts'

export interface Entry {
  readonly id: string
  readonly kind: string
  readonly amountMicrodollars: number
  readonly balanceAfterMicrodollars: number
  readonly chargeId: string | null
}

export interface Charge {
  readonly id: string
  readonly kind: 'activation' | 'renewal' | 'extension' | 'refund' | 'grant'
  readonly amountMicrodollars: number
  readonly periodStart: string
  readonly periodEnd: string
}

export interface Subscription {
  readonly id: string
  readonly planId: string
  readonly providerId: string
  readonly status: 'active' | 'past_due' | 'ended'
  readonly cancelAtPeriodEnd: boolean
  readonly currentPeriodEnd: string
  readonly createdAt: string
  readonly endedAt: string | null
  readonly endReason: string | null
  readonly charges: readonly Charge[]
}

export interface Slot {
  readonly providerId: string
  readonly managedBy: 'user' | 'plan'
  readonly subscriptionId: string | null
  /** As it is revealed; null: it is not. */
  readonly key: string | null
}

interface Credits {
  readonly balanceMicrodollars: number
  readonly heldMicrodollars: number
  readonly autoTopUp: {
    readonly enabled: boolean
    readonly amountMicrodollars: number
    readonly paymentMethodId: string | null
  }
}

/** What the house says of one user when all is calm. */
export interface Life {
  readonly user: string
  readonly memory: Memory
  readonly credits: Credits
  /** Oldest first. */
  readonly entries: readonly Entry[]
  readonly subscriptions: readonly Subscription[]
  readonly slots: readonly Slot[]
  /** Plans. */
  readonly wishes: ReadonlySet<string>
}

/** Every page of a list. @throws for anything but 200. */
export const listed = async <T>(client: Client, path: string): Promise<T[]> => {
  const all: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { status, body } = await client(`GET ${path}${path.includes('?') ? '&' : '?'}limit=100${after}`)
    if (status !== 200) throw new Error(`GET ${path} answered ${status} ${JSON.stringify(body)}`)
    all.push(...body.data)
    cursor = body.nextCursor
  }
  return all
}

/** As the user reads it by HTTP. */
export const readLife = async (client: Client, memory: Memory): Promise<Life> => {
  const subscriptions: Subscription[] = []
  for (const one of await listed<Omit<Subscription, 'charges'>>(client, '/subscriptions'))
    subscriptions.push({ ...one, charges: await listed<Charge>(client, `/subscriptions/${one.id}/charges`) })
  const slots: Slot[] = []
  for (const slot of (await client('GET /slots')).body.data as Omit<Slot, 'key'>[]) {
    const { status, body } = await client(`POST /slots/${slot.providerId}/reveal`)
    slots.push({ ...slot, key: status === 200 ? body.key : null })
  }
  const entries = (await listed<Entry>(client, '/credits/entries')).reverse()
  const { body: credits } = await client('GET /credits')
  const plans = (await client('GET /plans')).body.data as { id: string; restockWish: boolean }[]
  const wishes = new Set(plans.filter(({ restockWish }) => restockWish).map(({ id }) => id))
  return { user: memory.user, memory, credits, entries, subscriptions, slots, wishes }
}

/** One rule, and what it says of one user: sentences, none if all is right. */
export interface Rule<About = Life> {
  readonly what: string
  readonly check: (about: About) => readonly string[]
}
