import { type Decide, say } from '@coding-plans/runtime'
import { count, type LineReport } from './domain/upload.ts'
import type { Inventory } from './inventory.ts'
import type { LockedLine, OpenedUpload } from './prepare.ts'

type Line = Extract<OpenedUpload, { lines: unknown }>['lines'][number]

/** What becomes of each line: in the batch and over all plans and states a key is there once (INV-1, INV-3). */
const judge = (inventory: Inventory, lines: readonly Line[]) => {
  const met = new Set<string>()
  const good: LockedLine[] = []
  const report = lines.map((line): LineReport => {
    if ('refused' in line) return { line: line.line, outcome: 'invalid', reason: line.refused }
    const known = inventory.knows(line)
    if (known === 'another' || met.has(line.fingerprint)) return { line: line.line, outcome: 'duplicate', reason: null }
    met.add(line.fingerprint)
    if (known === null) good.push(line)
    return { line: line.line, outcome: 'accepted', reason: null }
  })
  return { good, report }
}

export const uploads: Decide<Inventory> = {
  UploadKeys(inventory, { body, time, prepared }) {
    const { planId, operationId, providerId, allOrNothing, actor, lowStockThreshold } = body
    const opened = prepared as OpenedUpload
    if ('refused' in opened) return [say('UploadRefused', { planId, operationId, reason: opened.refused, report: [] })]
    const shelf = inventory.shelf(body)
    const { good, report } = judge(inventory, opened.lines)
    if (allOrNothing && report.some(({ outcome }) => outcome !== 'accepted'))
      return [say('UploadRefused', { planId, operationId, reason: 'entries_invalid', report })]

    shelf.lowStockThreshold = lowStockThreshold
    for (const { keyId: id, fingerprint, envelope, masked, upstreamPlanId, expiresAt } of good) {
      const described = { id, planId, providerId, masked, upstreamPlanId, expiresAt, uploadedAt: time }
      const key = {
        ...described,
        state: 'available',
        assignment: null,
        endedAt: null,
        attempts: 0,
        lastError: null,
      } as const
      inventory.addKey(key, { fingerprint, envelope }, time)
    }
    const counts = {
      accepted: count(report, 'accepted'),
      duplicates: count(report, 'duplicate'),
      invalid: count(report, 'invalid'),
    }
    return [
      say('KeysUploaded', { planId, operationId, ...counts, report, stockVersion: shelf.version }),
      say('ActionAudited', {
        subject: planId,
        actor,
        action: 'keys.upload',
        target: planId,
        before: null,
        after: JSON.stringify({ uploadId: operationId, ...counts }),
        reason: null,
        at: time,
      }),
    ]
  },
}
