import { fresh, type KeptSecrets, keepAll, readKept } from './secrets.ts'

const names = ['VAULT_KEY', 'VAULT_KEY_NEXT', 'VAULT_KEY_PREVIOUS'] as const
export type VaultKeys = Partial<Record<(typeof names)[number], string>>

/** Is given to no service: kept for as long as not every one has come up without it. */
const DROPPED = 'VAULT_KEY_DROPPED'
type Kept = VaultKeys & { readonly [DROPPED]?: string }

/** The vault's keys as they stand: those of a data directory change under a running stack (`npm run rotate-keys`). */
export const readVaultKeys = (env: NodeJS.ProcessEnv, directory: string): VaultKeys => {
  const given: NodeJS.ProcessEnv | KeptSecrets = env.VAULT_KEY ? env : readKept(directory)
  return Object.fromEntries(names.flatMap((name) => (given[name] ? [[name, given[name]]] : [])))
}

/**
 * Where a rotation is. settled: one key. introduced: the coming one is known too, and nothing lies under it. turned: it wraps,
 * and what lies under its predecessor is wrapped anew. dropped: nobody is given the predecessor, and here it is kept yet.
 */
export type Stage = 'settled' | 'introduced' | 'turned' | 'dropped'

const stageOf = ({ VAULT_KEY_NEXT, VAULT_KEY_PREVIOUS, [DROPPED]: dropped }: Kept): Stage => {
  if (VAULT_KEY_NEXT) return 'introduced'
  if (VAULT_KEY_PREVIOUS) return 'turned'
  return dropped ? 'dropped' : 'settled'
}

/** Where the keys of a data directory are. */
export const stageIn = (directory: string): Stage => stageOf(readKept(directory))

const stepFrom: Record<Stage, (keys: Kept) => Kept> = {
  settled: (keys) => ({ ...keys, VAULT_KEY_NEXT: fresh() }),
  introduced: ({ VAULT_KEY = '', VAULT_KEY_NEXT = '', VAULT_KEY_PREVIOUS }) => ({
    VAULT_KEY: VAULT_KEY_NEXT,
    VAULT_KEY_PREVIOUS: [VAULT_KEY, ...(VAULT_KEY_PREVIOUS ? [VAULT_KEY_PREVIOUS] : [])].join(','),
  }),
  turned: ({ VAULT_KEY = '', VAULT_KEY_PREVIOUS = '' }) => ({ VAULT_KEY, [DROPPED]: VAULT_KEY_PREVIOUS }),
  dropped: ({ VAULT_KEY = '' }) => ({ VAULT_KEY }),
}

/** Take the next step in the data directory, whole or not at all. */
export const takeStep = (directory: string): void => {
  const { VAULT_KEY, VAULT_KEY_NEXT, VAULT_KEY_PREVIOUS, [DROPPED]: dropped, ...others } = readKept(directory)
  const keys: Kept = { ...readVaultKeys({}, directory), ...(dropped ? { [DROPPED]: dropped } : {}) }
  keepAll(directory, { ...others, ...stepFrom[stageOf(keys)](keys) })
}
