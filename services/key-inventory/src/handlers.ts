import type { Handler } from '@coding-plans/runtime'
import type { MessageName } from '@coding-plans/schemas'
import { assignments } from './assignments.ts'
import { deletions } from './deletions.ts'
import type { Inventory } from './inventory.ts'
import { ownKeys } from './own-keys.ts'
import { openOwnKey, openUpload, type Secrets } from './prepare.ts'
import { revocations } from './revocations.ts'
import { stockEvents } from './stock-events.ts'
import type { Store } from './store.ts'
import { terms } from './terms.ts'
import { uploads } from './uploads.ts'
import type { Vault } from './vault.ts'

/** The service's table of contents: what it listens to, and who decides it. */
export const decide = (vault: Pick<Vault, 'open'>) => ({
  ...uploads,
  ...assignments,
  ...ownKeys,
  ...revocations(vault),
  ...deletions,
  ...terms,
})

const termEvents = new Set(Object.keys(terms) as MessageName[])

export const inventoryHandler = (secrets: Secrets, { load, save }: Store): Handler<Inventory> => ({
  prepare: { UploadKeys: openUpload(secrets), PutOwnKey: openOwnKey(secrets) },
  load,
  decide: decide(secrets.vault),
  judgedByVersion: termEvents,
  patient: termEvents,
  conclude: stockEvents,
  save,
})
