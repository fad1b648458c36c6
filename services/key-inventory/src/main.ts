import { runService } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { readConfig } from './config.ts'
import { inventoryHandler } from './handlers.ts'
import { internalRoutes } from './internal-routes.ts'
import { openReveals } from './reveals.ts'
import { openSeals } from './sealing.ts'
import { openFingerprint, openVault } from './vault.ts'

const environment = readConfig(process.env)
const seals = await openSeals(environment.SEALING_KEY)
const vault = openVault([environment.VAULT_KEY])
const fingerprint = openFingerprint(environment.FINGERPRINT_SECRET)

await runService({
  service: 'key-inventory',
  environment,
  handler: inventoryHandler({ seals, vault, fingerprint }),
  routes: (http, parts) =>
    internalRoutes(http, {
      internalSecret: environment.INTERNAL_SECRET,
      seals,
      reveal: openReveals(vault, environment.REVEALS_PER_MINUTE, parts),
      now: () => instant(Date.now()),
    }),
})
