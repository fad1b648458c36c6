import { fresh, type KeptSecrets, keepAll, readKept } from './secrets.ts'

const names = ['VAULT_KEY', 'VAULT_KEY_NEXT', 'VAULT_KEY_PREVIOUS'] as const
export type VaultKeys = Partial<Record<(typeof names)[number], string>>

/** The vault's keys as they stand: those of a data directory change under a running stack (`npm run rotate-keys`). */
export const readVaultKeys = (env: NodeJS.ProcessEnv, directory: string): VaultKeys => {
  const given: NodeJS.ProcessEnv | KeptSecrets = env.VAULT_KEY ? env : readKept(directory)
  return Object.fromEntries(names.flatMap((name) => (given[name] ? [[name, given[name]]] : [])))
}

/**
 * Where a rotation is. settled: one key. introduced: the coming one is known too, and nothing lies under it. turned: it wraps,
 * and what lies under its predecessor is wrapped anew.
 */
export type Stage = 'settled' | 'introduced' | 'turned'

export const stageOf = ({ VAULT_KEY_NEXT, VAULT_KEY_PREVIOUS }: VaultKeys): Stage => {
  if (VAULT_KEY_NEXT) return 'introduced'
  return VAULT_KEY_PREVIOUS ? 'turned' : 'settled'
}

const stepFrom: Record<Stage, (keys: VaultKeys) => VaultKeys> = {
  settled: (keys) => ({ ...keys, VAULT_KEY_NEXT: fresh() }),
  introduced: ({ VAULT_KEY = '', VAULT_KEY_NEXT = '', VAULT_KEY_PREVIOUS }) => ({
    VAULT_KEY: VAULT_KEY_NEXT,
    VAULT_KEY_PREVIOUS: [VAULT_KEY, ...(VAULT_KEY_PREVIOUS ? [VAULT_KEY_PREVIOUS] : [])].join(','),
  }),
  turned: ({ VAULT_KEY = '' }) => ({ VAULT_KEY }),
}

/** Take the next step in the data directory, whole or not at all. */
export const takeStep = (directory: string): void => {
  const { VAULT_KEY, VAULT_KEY_NEXT, VAULT_KEY_PREVIOUS, ...others } = readKept(directory)
  const keys = readVaultKeys({}, directory)
  keepAll(directory, { ...others, ...stepFrom[stageOf(keys)](keys) })
}
