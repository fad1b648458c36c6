import type { Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, instant, userId } from '@coding-plans/schemas'
import { seal } from './sealing.testing.ts'
import { slotSeal, uploadSeal } from './sealing.ts'

export const NOW = instant(Date.parse('2026-03-01T00:00:00.000Z'))

export interface Sealing {
  readonly keyId: string
  readonly publicKey: Uint8Array
}

const envelope = (cause: string) => ({ cause, time: NOW, correlationId: cause })

/** What the gateway says, sealed to the inventory's public key. */
export const gatewayRecords = (speaker: Speaker, { keyId: sealingKeyId, publicKey }: Sealing) => ({
  upload: async (operationId: string, keys: readonly string[], planId: string, boundTo = operationId) => {
    const text = JSON.stringify(keys.map((key, index) => ({ line: index + 1, key })))
    const sealed = await seal(publicKey, text, uploadSeal({ planId, operationId: boundTo }))
    const more = { allOrNothing: false, lowStockThreshold: 0, actor: 'admin-1' }
    const body = { planId, operationId, providerId: 'acme', sealingKeyId, sealed, ...more }
    return speaker.record('UploadKeys', body, envelope(operationId))
  },
  putOwnKey: async (user: string, operationId: string, key: string) => {
    const whose = { userId: userId(user), operationId, providerId: 'acme' }
    const sealed = await seal(publicKey, key, slotSeal(whose))
    return speaker.record('PutOwnKey', { ...whose, sealingKeyId, sealed }, envelope(operationId))
  },
})

/** What subscription's sagas say. */
export const sagaRecords = (speaker: Speaker) => ({
  assignKey: (user: string, assignmentId: string, planId: string, change: Partial<Bodies['AssignKey']> = {}) => {
    const whose = {
      userId: userId(user),
      assignmentId,
      subscriptionId: `sub_${assignmentId}`,
      planId,
      providerId: 'acme',
    }
    const policy = {
      ownership: 'user',
      reveal: true,
      upstreamRevocation: 'never',
      lowStockThreshold: 0,
      termEndsAt: null,
      graceHours: 0,
    } as const
    return speaker.record('AssignKey', { ...whose, ...policy, ...change }, envelope(assignmentId))
  },
  removeKey: (user: string, subscriptionId: string) => {
    const body = { userId: userId(user), subscriptionId, providerId: 'acme' }
    return speaker.record('RemoveKey', body, envelope(`end ${subscriptionId}`))
  },
})
