import { type Intent, idempotencyKey } from '@coding-plans/gateway/in-memory'
import { type Saying, say } from '@coding-plans/runtime'
import { microdollars, userId } from '@coding-plans/schemas'
import type { World } from './world.ts'

export const USERS = ['ada', 'bob', 'eve', 'kim']

/** Hashes requests. */
export const SECRET = Buffer.alloc(32)

/** A sealed thing, opened by whoever looks (the inventory in memory keeps no secrets). */
export const sealed = (text: string) => ({ sealingKeyId: 'open', sealed: Buffer.from(text) })

/** Its key only where the route makes it; else whoever asks chooses one, if it needs one. */
export type Request = Omit<Intent, 'key'> & Partial<Pick<Intent, 'key'>>
export type Begun = { readonly id: string }

/** What a request is about: the one that lives or, now and then, any that there was. */
export const oneOf = ({ rooms, random }: World, user: string, providerId: string) => {
  const theirs = rooms.gateway.tables.subscriptions.where((one) => one.userId === user && one.providerId === providerId)
  if (theirs.length > 0 && random.chance(0.1)) return random.pick(theirs)
  return theirs.find(({ status }) => status !== 'ended')
}

/** There is one deletion of a user, whoever asks for it, and however often (GDP-1). */
export const deletionOf = (user: string, caller: string): Request => {
  const [kind, once] = ['delete_account' as const, { caller: user, operation: 'delete_account', key: user }]
  const command = ({ id: operationId }: Begun) =>
    say('DeleteAccount', { userId: userId(user), operationId, actor: caller })
  return {
    ...{ kind, caller, subject: user, command },
    key: idempotencyKey(SECRET, once, { path: kind, body: null }),
  }
}

/** What users may ask, as the routes of the gateway would make it of their requests; null: it makes no sense now. */
export class Requests {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  get #random() {
    return this.#world.random
  }

  purchase(user: string, planId: string, horizon: number): Request {
    const command: Intent['command'] = ({ id, facts }) =>
      say('PurchasePlan', {
        userId: userId(user),
        operationId: id,
        planId,
        planVersion: facts?.planVersion ?? 0,
        knownSubscriptionId: facts?.knownSubscriptionId ?? null,
        knownEnd: facts?.knownEnd ?? null,
      })
    const purchase = { userId: user, planId, horizon }
    return { kind: 'purchase', caller: user, subject: user, purchase, command }
  }

  cancel(user: string, providerId: string): Request | null {
    const one = oneOf(this.#world, user, providerId)
    if (!one) return null
    const at = this.#random.pick(['period_end', 'period_end', 'now'] as const)
    const how = { subscriptionId: one.id, at, by: 'user', actor: user, reason: null } as const
    const command = ({ id: operationId }: Begun) =>
      say('CancelSubscription', { userId: userId(user), operationId, ...how })
    return { kind: 'cancel', caller: user, subject: user, command }
  }

  resume(user: string, providerId: string): Request | null {
    const one = oneOf(this.#world, user, providerId)
    if (!one) return null
    const command = ({ id: operationId }: Begun) =>
      say('ResumeSubscription', { userId: userId(user), operationId, subscriptionId: one.id })
    return { kind: 'resume', caller: user, subject: user, command }
  }

  ownKey(user: string, providerId: string): Request {
    const key = `own-${user}-${providerId}-${this.#random.below(1_000)}`
    const command = ({ id: operationId }: Begun) =>
      say('PutOwnKey', { userId: userId(user), operationId, providerId, ...sealed(key) })
    return { kind: 'put_key', caller: user, subject: user, command }
  }

  enableKey(user: string, providerId: string): Request {
    const enabled = this.#random.chance(0.5)
    const command = ({ id: operationId }: Begun) =>
      say('EnableOwnKey', { userId: userId(user), operationId, providerId, enabled })
    return { kind: 'enable_key', caller: user, subject: user, command }
  }

  deleteKey(user: string, providerId: string): Request {
    const command = ({ id: operationId }: Begun) =>
      say('DeleteOwnKey', { userId: userId(user), operationId, providerId })
    return { kind: 'delete_key', caller: user, subject: user, command }
  }

  testKey(user: string, providerId: string): Request {
    const command = ({ id: operationId }: Begun) => say('TestKey', { userId: userId(user), operationId, providerId })
    return { kind: 'test_key', caller: user, subject: user, command }
  }

  /** What is left out stays as it was. */
  autoTopUp(user: string): Request {
    const random = this.#random
    const how = {
      enabled: random.chance(0.75),
      amount: random.chance(0.9) ? microdollars(random.below(40) + 1) : null,
      paymentMethodId: random.chance(0.9) ? random.pick(['pm', 'pm_other']) : null,
    }
    const command = ({ id: operationId }: Begun) => say('SetAutoTopUp', { userId: userId(user), operationId, ...how })
    return { kind: 'set_auto_top_up', caller: user, subject: user, command }
  }

  wish(user: string, planId: string): Request {
    const asks = this.#random.chance(0.7)
    const command = ({ id: operationId }: Begun): Saying =>
      asks
        ? say('WishRestock', { planId, userId: userId(user), operationId })
        : say('WithdrawRestockWish', { planId, userId: userId(user), operationId })
    return { kind: asks ? 'wish_restock' : 'withdraw_wish', caller: user, subject: user, command }
  }

  delete(user: string): Request {
    return deletionOf(user, user)
  }
}
