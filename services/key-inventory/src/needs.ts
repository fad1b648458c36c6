import type { Message } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import type { OpenedUpload } from './prepare.ts'

/** A stock that a round changes: how many keys it may take, and the latest instant at which one must still be good. */
export interface StockNeed {
  readonly planId: string
  readonly providerId: string
  takes: number
  until: Instant | null
}
export interface SlotNeed {
  readonly userId: string
  readonly providerId: string
  /** Whether the round may put something in. */
  fills: boolean
}

/** What a round reads and locks, told from its messages alone. */
export class Needs {
  readonly stocks = new Map<string, StockNeed>()
  readonly slots = new Map<string, SlotNeed>()
  readonly subscriptionIds: string[] = []
  readonly assignmentIds: string[] = []
  /** Operations and assignments that may have been answered before. */
  readonly operationIds: string[] = []
  readonly fingerprints: string[] = []
  readonly keyIds: string[] = []
  /** Of whom every key and slot is read. */
  readonly unlinked: string[] = []
  /** Keys whose revocation is told of, and their plans. */
  readonly revoked: string[] = []
  readonly revokedPlans: string[] = []
  /** Who may have been deleted. */
  readonly userIds: string[] = []

  constructor(messages: readonly Message[]) {
    for (const message of messages) this.#read(message)
  }

  #read(message: Message) {
    if ('userId' in message.body) this.userIds.push(message.body.userId)
    if (is(message, 'UploadKeys')) this.#upload(message)
    else if (is(message, 'AssignKey')) {
      const { body, asOf } = message
      const stock = this.#stock(body)
      stock.takes += 1
      stock.until = stock.until === null || asOf > stock.until ? asOf : stock.until
      this.assignmentIds.push(body.assignmentId)
      this.operationIds.push(body.assignmentId)
      this.#slot(body, true)
    } else if (is(message, 'RemoveKey')) {
      this.subscriptionIds.push(message.body.subscriptionId)
      this.#slot(message.body, false)
    } else if (is(message, 'PutOwnKey') || is(message, 'EnableOwnKey') || is(message, 'DeleteOwnKey')) {
      this.operationIds.push(message.body.operationId)
      this.#slot(message.body, is(message, 'PutOwnKey'))
    } else if (is(message, 'UnlinkKeys')) this.unlinked.push(message.body.userId)
    else if (is(message, 'SettleRevocation')) {
      const { keyId, planId, operationId } = message.body
      this.operationIds.push(operationId)
      this.revoked.push(keyId)
      this.revokedPlans.push(planId)
    } else if (is(message, 'TestKey')) this.#slot(message.body, false)
  }

  #upload({ body, prepared }: Message<'UploadKeys'>) {
    const opened = prepared as OpenedUpload
    if ('refused' in opened) return
    this.#stock(body)
    for (const line of opened.lines) {
      if ('refused' in line) continue
      this.fingerprints.push(line.fingerprint)
      this.keyIds.push(line.keyId)
    }
  }

  #stock({ planId, providerId }: { planId: string; providerId: string }): StockNeed {
    const known = this.stocks.get(planId)
    if (known) return known
    const need = { planId, providerId, takes: 0, until: null }
    this.stocks.set(planId, need)
    return need
  }

  #slot({ userId, providerId }: { userId: string; providerId: string }, fills: boolean) {
    const id = `${providerId}|${userId}`
    const known = this.slots.get(id)
    if (known) known.fills ||= fills
    else this.slots.set(id, { userId, providerId, fills })
  }
}

const is = <Name extends Message['name']>(message: Message, name: Name): message is Message<Name> =>
  message.name === name
