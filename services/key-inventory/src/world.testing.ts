import type { Message, Saying } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, type Instant, instant, userId } from '@coding-plans/schemas'
import type { Entitlement } from './domain/entitlement.ts'
import { type Key, keyStates } from './domain/key.ts'
import { type Counts, noCounts, type Stock } from './domain/stock.ts'
import { decide } from './handlers.ts'
import { type Answer, type Deleted, Inventory, type SlotRecord } from './inventory.ts'
import type { LockedLine, OpenedKey, OpenedUpload } from './prepare.ts'
import { stockEvents } from './stock-events.ts'

const lock = (name: string) => ({
  ciphertext: Buffer.from(name),
  wrappedKey: Buffer.from(name),
  wrappingKeyId: 'kek_test',
})

// A key opens to what it shows: nothing is masked here.
const decisions = decide({ open: ({ ciphertext }) => Buffer.from(ciphertext) })

/** Everything an inventory has, in maps: rounds are loaded from it and written back to it, as on a database. */
export class World {
  readonly stocks = new Map<string, Stock>()
  readonly keys = new Map<string, Key>()
  readonly slots = new Map<string, SlotRecord>()
  readonly answers = new Map<string, Answer>()
  readonly deleted = new Map<string, Deleted>()
  readonly entitlements = new Map<string, Entitlement>()
  readonly #fingerprints = new Map<string, string>()

  round(...messages: Message[]): Saying[] {
    for (const { name, body } of messages)
      if (name === 'UploadKeys' || name === 'AssignKey') this.#shelve(body as never)
    const inventory = new Inventory({
      stocks: [...this.stocks.values()],
      keys: [...this.keys.values()],
      slots: [...this.slots.values()],
      answers: [...this.answers.values()],
      known: [...this.#fingerprints].map(([id, fingerprint]) => ({ id, fingerprint })),
      envelopes: new Map([...this.#fingerprints.keys()].map((id) => [id, lock(this.keys.get(id)?.masked ?? '')])),
      deleted: [...this.deleted.values()],
      entitlements: [...this.entitlements.values()],
    })
    const said = messages.flatMap((one) =>
      (decisions[one.name as keyof typeof decisions] as (state: Inventory, message: Message) => Saying[])(
        inventory,
        one,
      ),
    )
    const whole = stockEvents(inventory)
    this.#save(inventory)
    return [...said, ...whole]
  }

  /** How many keys of a plan are in which state, counted one by one. */
  countsOf(plan: string): Counts {
    const states = [...this.keys.values()].filter(({ planId }) => planId === plan).map(({ state }) => state)
    return Object.fromEntries(
      keyStates.map((state) => [state, states.filter((one) => one === state).length]),
    ) as unknown as Counts
  }

  #shelve({ planId, providerId }: Bodies['AssignKey']) {
    if (this.stocks.has(planId)) return
    const stock = { planId, providerId, version: 0, counts: noCounts, lowStockThreshold: 0, uploaded: 0 }
    this.stocks.set(planId, stock)
  }

  #save(inventory: Inventory) {
    for (const { stock, changed } of inventory.shelves) {
      this.stocks.set(stock.planId, stock)
      for (const [id, key] of changed) this.keys.set(id, key)
    }
    for (const [id, { fingerprint }] of inventory.newKeys) this.#fingerprints.set(id, fingerprint)
    for (const [id, record] of inventory.changedSlots) this.slots.set(id, record)
    for (const one of inventory.entitlements.changed) this.entitlements.set(`${one.providerId}|${one.userId}`, one)
    for (const answer of inventory.newAnswers) this.answers.set(answer.operationId, answer)
    for (const tombstone of inventory.newlyDeleted) {
      this.deleted.set(tombstone.userId, tombstone)
      for (const [id, { slot }] of this.slots) if (slot.userId === tombstone.userId) this.slots.delete(id)
      for (const [id, { userId: user }] of this.answers) if (user === tombstone.userId) this.answers.delete(id)
    }
  }
}

type Timing = { time?: number; asOf?: number }
const at = ({ time = 1_000, asOf = time }: Timing) => ({ time: instant(time), asOf: instant(asOf) })

/** An upload as it comes out of its preparation: a line is a key, or its refusal. */
export const upload = (
  operationId: string,
  lines: readonly (string | { key: string; expiresAt: number } | { refused: 'malformed' })[],
  { time, asOf, ...change }: Timing & Partial<Bodies['UploadKeys']> = {},
) => {
  const opened: OpenedUpload = {
    lines: lines.map((given, index) => {
      const line = index + 1
      if (typeof given === 'object' && 'refused' in given) return { line, refused: given.refused }
      const key = typeof given === 'string' ? given : given.key
      return {
        line,
        keyId: `${operationId}/${line}`,
        fingerprint: Buffer.from(key).toString('hex'),
        masked: key,
        upstreamPlanId: null,
        expiresAt: typeof given === 'string' ? null : (given.expiresAt as Instant),
        envelope: lock(key),
      } satisfies LockedLine
    }),
  }
  const body: Bodies['UploadKeys'] = {
    planId: 'gold',
    operationId,
    providerId: 'acme',
    sealingKeyId: 'sk',
    sealed: Buffer.alloc(0),
    allOrNothing: false,
    lowStockThreshold: 0,
    actor: 'admin-1',
    ...change,
  }
  return message('UploadKeys', body, { ...at({ ...(time && { time }), ...(asOf && { asOf }) }), prepared: opened })
}

export const assignKey = (
  user: string,
  assignmentId: string,
  { time, asOf, ...change }: Timing & Partial<Bodies['AssignKey']> = {},
) =>
  message(
    'AssignKey',
    {
      userId: userId(user),
      assignmentId,
      subscriptionId: `sub_${assignmentId}`,
      planId: 'gold',
      providerId: 'acme',
      ownership: 'user',
      reveal: true,
      upstreamRevocation: 'never',
      lowStockThreshold: 0,
      termEndsAt: null,
      graceHours: 0,
      ...change,
    },
    at({ ...(time && { time }), ...(asOf && { asOf }) }),
  )

export const removeKey = (user: string, subscriptionId: string, time = 2_000) =>
  message('RemoveKey', { userId: userId(user), subscriptionId, providerId: 'acme' }, at({ time }))

const whose = (user: string, operationId: string) => ({ userId: userId(user), operationId, providerId: 'acme' })

export const putOwnKey = (user: string, operationId: string, key: string | OpenedKey, time = 1_000) => {
  const prepared: OpenedKey = typeof key === 'string' ? { masked: key, envelope: lock(key) } : key
  const sealed = { sealingKeyId: 'sk', sealed: Buffer.alloc(0) }
  return message('PutOwnKey', { ...whose(user, operationId), ...sealed }, { ...at({ time }), prepared })
}
export const enableOwnKey = (user: string, operationId: string, enabled: boolean, time = 1_000) =>
  message('EnableOwnKey', { ...whose(user, operationId), enabled }, at({ time }))
export const deleteOwnKey = (user: string, operationId: string, time = 1_000) =>
  message('DeleteOwnKey', whose(user, operationId), at({ time }))
export const testKey = (user: string, operationId: string, time = 1_000) =>
  message('TestKey', whose(user, operationId), at({ time }))

export const unlinkKeys = (user: string, operationId = `op_delete_${user}`, time = 3_000) =>
  message('UnlinkKeys', { userId: userId(user), operationId }, at({ time }))

export const settleRevocation = (
  keyId: string,
  operationId: string,
  outcome: Bodies['SettleRevocation']['outcome'],
  change: Partial<Bodies['SettleRevocation']> = {},
) =>
  message(
    'SettleRevocation',
    { planId: 'gold', operationId, keyId, outcome, reason: null, actor: 'admin-1', ...change },
    at({ time: 3_000 }),
  )

/** The bodies of what was said under one name. */
export const bodies = <Name extends Saying['name']>(said: readonly Saying[], name: Name) =>
  said.filter((saying) => saying.name === name).map(({ body }) => body as Bodies[Name])
