import { createHash } from 'node:crypto'
import { inventoryHandler } from './handlers.ts'
import type { Secrets } from './prepare.ts'
import { memoryStore } from './store.memory.ts'

// What is sealed and locked lies open: the vault has tests of its own, and the simulator is to see what is whose.
const openSecrets: Secrets = {
  seals: { keyId: 'open', publicKey: Buffer.alloc(0), open: async ({ sealed }) => Uint8Array.from(sealed) },
  vault: {
    lock: (plaintext) => ({
      ciphertext: Buffer.from(plaintext),
      wrappedKey: Buffer.alloc(0),
      wrappingKeyId: 'open',
    }),
    open: ({ ciphertext }) => Buffer.from(ciphertext),
  },
  fingerprint: (key) => createHash('sha256').update(key).digest(),
}

/** The service without a database and without secrets, for the simulator. */
export const inventoryInMemory = () => {
  const { database, tables, store } = memoryStore()
  const handler = inventoryHandler(openSecrets, store)
  return { service: 'key-inventory', database, tables, handler, work: [], due: async () => 0 } as const
}
