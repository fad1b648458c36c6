import { type Saying, say } from '@coding-plans/runtime'
import type { Bodies } from '@coding-plans/schemas'
import type { Key } from './domain/key.ts'
import type { Inventory } from './inventory.ts'
import type { Shelf } from './shelf.ts'

const lineOf = ({
  id,
  state,
  upstreamPlanId,
  uploadedAt,
  assignment,
  attempts,
  lastError,
}: Key): Bodies['StockChanged']['keys'][number] => ({
  keyId: id,
  state,
  upstreamPlanId,
  uploadedAt,
  assignedAt: assignment?.assignedAt ?? null,
  subscriptionId: assignment?.subscriptionId ?? null,
  attempts,
  lastError,
})

const stockChanged = ({ stock, changed, changedAt, sellableUntil, fellLow }: Shelf): Saying[] => {
  if (changedAt === null) return []
  const { planId, providerId, version, counts, lowStockThreshold: threshold } = stock
  const how = { cause: `stock|${planId}|${version}`, time: changedAt }
  const { available, quarantined, assigned, revoked, retired } = counts
  const body = {
    planId,
    providerId,
    version,
    available,
    quarantined,
    assigned,
    revocationPending: counts.revocation_pending,
    revoked,
    revocationFailed: counts.revocation_failed,
    retired,
    sellableUntil,
    keys: [...changed.values()].map(lineOf),
  }
  const told = [say('StockChanged', body, how)]
  return fellLow ? [...told, say('StockLow', { planId, available, threshold }, how)] : told
}

/** One message for each plan that the round changed, whatever the number of buyers; low stock is said beside it (INV-6). */
export const stockEvents = (inventory: Inventory): Saying[] => [...inventory.shelves].flatMap(stockChanged)
