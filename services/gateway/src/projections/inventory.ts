import type { Message } from '@coding-plans/runtime'
import type { KeysUploaded } from '@coding-plans/schemas'
import { showSlot } from '../presentation.ts'
import { refusalOf } from '../refusals.ts'
import type { SlotRow } from '../rows.ts'
import { type ReadModels, slotKey } from './models.ts'
import { refuse, succeed } from './operations.ts'

/** Show the slot as told, unless a newer version is shown already. */
const putSlot = (models: ReadModels, slot: SlotRow) => {
  const { slots } = models
  if (models.forgot(slot.userId)) return
  const shown = slots.get(slotKey(slot.userId, slot.providerId))
  if (!shown || slot.version > shown.version) slots.put(slot)
}

export const keyAssigned = (models: ReadModels, { body }: Message<'KeyAssigned'>) =>
  putSlot(models, {
    userId: body.userId,
    providerId: body.providerId,
    managedBy: 'plan',
    subscriptionId: body.subscriptionId,
    enabled: true,
    maskedKey: body.maskedKey,
    createdAt: body.at,
    updatedAt: body.at,
    version: body.slotVersion,
  })

const emptySlot = (userId: string, providerId: string, at: number, version: number): SlotRow => ({
  userId,
  providerId,
  managedBy: 'none',
  subscriptionId: null,
  enabled: false,
  maskedKey: null,
  createdAt: at,
  updatedAt: at,
  version,
})

export const keyRemoved = (models: ReadModels, { body }: Message<'KeyRemoved'>) => {
  // Not emptied: the slot was not this subscription's, and stays what it is.
  if (body.emptied) putSlot(models, emptySlot(body.userId, body.providerId, body.at, body.slotVersion))
}

export const slotChanged = (models: ReadModels, message: Message<'SlotChanged'>) => {
  const { body } = message
  const slot: SlotRow =
    body.managedBy === 'user'
      ? {
          userId: body.userId,
          providerId: body.providerId,
          managedBy: 'user',
          subscriptionId: null,
          enabled: body.enabled,
          maskedKey: body.maskedKey,
          createdAt: body.createdAt,
          updatedAt: body.updatedAt,
          version: body.version,
        }
      : emptySlot(body.userId, body.providerId, body.updatedAt, body.version)
  putSlot(models, slot)
  succeed(models, message, body.operationId, slot.managedBy === 'user' ? showSlot(slot) : null, {
    slotProvider: body.providerId,
    slotVersion: body.version,
  })
}

export const slotChangeRefused = (models: ReadModels, message: Message<'SlotChangeRefused'>) => {
  const { operationId, reason, providerId, version } = message.body
  refuse(models, message, operationId, refusalOf('SlotChangeRefused', reason), {
    slotProvider: providerId,
    slotVersion: version,
  })
}

export const keyTested = (models: ReadModels, message: Message<'KeyTested'>) =>
  succeed(models, message, message.body.operationId, { ok: message.body.ok })

/** A plan's versions leave by the lanes of different users and may overtake each other: each key goes by its own last one. */
export const stockChanged = ({ stock, keys }: ReadModels, { body }: Message<'StockChanged'>) => {
  const { keys: lines, ...counts } = body
  const { planId, version } = body
  if (version > (stock.get(planId)?.version ?? 0)) stock.put(counts)
  for (const line of lines) if (version > (keys.get(line.keyId)?.version ?? 0)) keys.put({ ...line, planId, version })
}

const after = { done: 'revoked', failed: 'revocation_failed', requeue: 'revocation_pending' } as const

export const revocationSettled = (models: ReadModels, message: Message<'RevocationSettled'>) => {
  const { operationId, keyId: id, planId, outcome, stockVersion } = message.body
  const state = outcome === 'unknown' ? outcome : after[outcome]
  succeed(models, message, operationId, { id, planId, state }, { stockPlan: planId, stockVersion })
}

export const revocationRefused = (models: ReadModels, message: Message<'RevocationRefused'>) => {
  const { operationId, planId, reason, stockVersion } = message.body
  const restsOn = { stockPlan: planId, stockVersion }
  refuse(models, message, operationId, refusalOf('RevocationRefused', reason), restsOn)
}

const showReport = (report: KeysUploaded['report']) =>
  report.map(({ line, outcome, reason }) => ({ line, outcome, ...(reason === null ? {} : { reason }) }))

export const keysUploaded = (models: ReadModels, message: Message<'KeysUploaded'>) => {
  const { operationId, accepted, duplicates, invalid, report, planId, stockVersion } = message.body
  const result = { uploadId: operationId, accepted, duplicates, invalid, report: showReport(report) }
  succeed(models, message, operationId, result, { stockPlan: planId, stockVersion })
}

export const uploadRefused = (models: ReadModels, message: Message<'UploadRefused'>) => {
  const { operationId, reason, report } = message.body
  const fields = reason === 'entries_invalid' ? { report: showReport(report) } : {}
  refuse(models, message, operationId, refusalOf('UploadRefused', reason, fields))
}
