import { type Decide, say } from '@coding-plans/runtime'
import { end, unlink } from './domain/key.ts'
import { withdrawAll } from './entitlements.ts'
import type { Inventory } from './inventory.ts'

/** A user is deleted: nothing here names them any more, and nothing is taken for them again (GDP-1). */
export const deletions: Decide<Inventory> = {
  UnlinkKeys(inventory, { body: { userId, operationId }, time: at }) {
    const known = inventory.deleted(userId)
    if (known) return [say('KeysUnlinked', { userId, operationId, ...known })]
    const keys = inventory.keysOf(userId)
    for (const key of keys) inventory.changeKey(key, unlink(end(key, at)), at)
    const withdrawn = withdrawAll(inventory.entitlements, userId)
    const report = { keys: keys.length, slots: inventory.removeSlots(userId), at }
    inventory.bury(userId, report)
    return [...withdrawn, say('KeysUnlinked', { userId, operationId, ...report })]
  },
}
