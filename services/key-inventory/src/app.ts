import type { ServiceOptions } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import type { Config } from './config.ts'
import { inventoryHandler } from './handlers.ts'
import { internalRoutes } from './internal-routes.ts'
import type { Inventory } from './inventory.ts'
import { openReveals } from './reveals.ts'
import { Rewrapping } from './rewrapping.ts'
import { openSeals } from './sealing.ts'
import { sqlStore } from './store.ts'
import { openFingerprint, openVault } from './vault.ts'

const SERVICE = 'key-inventory'

export type InventoryOptions = Pick<
  Config,
  'VAULT_KEY' | 'FINGERPRINT_SECRET' | 'SEALING_KEY' | 'REVEAL_SECRET' | 'REVEALS_PER_MINUTE'
> &
  Partial<Pick<Config, 'VAULT_KEY_NEXT' | 'VAULT_KEY_PREVIOUS'>>

/** The service, but for its environment. */
export const keyInventory = async (
  options: InventoryOptions,
): Promise<Omit<ServiceOptions<Inventory>, 'environment'>> => {
  const seals = await openSeals(options.SEALING_KEY)
  const { VAULT_KEY: present, VAULT_KEY_NEXT: next = [], VAULT_KEY_PREVIOUS: previous = [] } = options
  const vault = openVault({ present, next, previous })
  const rewrapping = new Rewrapping(vault)
  const fingerprint = openFingerprint(options.FINGERPRINT_SECRET)
  return {
    service: SERVICE,
    handler: inventoryHandler({ seals, vault, fingerprint }, sqlStore),
    work: rewrapping.work,
    begin: (parts) => rewrapping.begin(parts),
    routes: (http, parts) =>
      internalRoutes(http, {
        revealSecret: options.REVEAL_SECRET,
        seals,
        reveal: openReveals(vault, options.REVEALS_PER_MINUTE, parts),
        now: () => instant(Date.now()),
      }),
  }
}
