import { hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint } from './complaint.ts'
import { writeWhole } from './directory.ts'

const BYTES = 32

export const secretNames = [
  'AUTH_JWT_SECRET',
  'CRON_SECRET',
  'VAULT_KEY',
  'FINGERPRINT_SECRET',
  'IDENTITY_SECRET',
  'SEALING_KEY',
  'INTERNAL_SECRET',
  'REVEAL_SECRET',
] as const
export type SecretName = (typeof secretNames)[number]
export type Secrets = Readonly<Record<SecretName, string>>

/** What each must be. The first two are used as the text they are; the rest are keys. */
const demands: Record<SecretName, { sentence: string; met: (value: string) => boolean }> = (() => {
  const key = {
    sentence: 'must be 32 bytes, base64',
    met: (value: string) => /^[A-Za-z0-9+/]+={0,2}$/.test(value) && Buffer.from(value, 'base64').length === BYTES,
  }
  return {
    // RFC 7518, 3.2: a key for HS256 is at least as long as its hash.
    AUTH_JWT_SECRET: { sentence: 'must have at least 32 bytes', met: (value) => Buffer.byteLength(value) >= BYTES },
    CRON_SECRET: { sentence: 'must have at least 16 characters', met: (value) => value.length >= 16 },
    VAULT_KEY: key,
    FINGERPRINT_SECRET: key,
    IDENTITY_SECRET: key,
    SEALING_KEY: key,
    INTERNAL_SECRET: key,
    REVEAL_SECRET: key,
  }
})()

export const fresh = () => randomBytes(BYTES).toString('base64')
const fileIn = (directory: string) => join(directory, 'secrets.json')

export type KeptSecrets = Readonly<Record<string, string>>

/** The secrets kept in a data directory; nothing when there are none yet. */
export const readKept = (directory: string): KeptSecrets => {
  const path = fileIn(directory)
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as KeptSecrets
  } catch {
    throw new Complaint(`${path} cannot be read as JSON; mend it, or choose another DATA_DIR.`)
  }
}

/** A crash leaves what was kept before, or this. */
export const keepAll = (directory: string, secrets: KeptSecrets) =>
  writeWhole(fileIn(directory), `${JSON.stringify(secrets, null, 2)}\n`, 0o600)

/** Keep a secret of the data directory under this name, made when there is none. */
export const keepSecret = (directory: string, name: string): string => {
  const kept = readKept(directory)
  const value = kept[name] ?? fresh()
  if (kept[name] === undefined) keepAll(directory, { ...kept, [name]: value })
  chmodSync(fileIn(directory), 0o600)
  return value
}

/** Made from what the inventory alone is given: no other service can, and the gateway does not learn from what. */
const revealSecretFrom = (sealingKey = '') =>
  Buffer.from(hkdfSync('sha256', Buffer.from(sealingKey, 'base64'), '', 'coding-plans/reveal', BYTES)).toString(
    'base64',
  )

/** Whoever learns one secret must not have learnt another (VLT-1). */
const shared = (settled: Partial<Secrets>) => {
  const given = Object.entries(settled).filter(([, value]) => value !== '')
  return given.flatMap(([name, value], place) =>
    given
      .slice(place + 1)
      .flatMap(([other, its]) => (its === value ? [`${name} and ${other} must not be the same`] : [])),
  )
}

interface Settling {
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  /** False with servers of one's own and in production: there a secret that only this directory knows would be a trap. */
  readonly mayMake: boolean
}

/**
 * Every secret: from the environment, or kept in the data directory.
 * @throws one Complaint that names each variable that is missing or malformed, and never shows a value.
 */
export const settleSecrets = ({ env, directory, mayMake }: Settling): Secrets => {
  const complaints: string[] = []
  const settled = {} as Record<SecretName, string>
  const malformed = secretNames.filter((name) => env[name] && !demands[name].met(env[name]))
  for (const name of malformed) complaints.push(`${name} ${demands[name].sentence}`)
  for (const name of secretNames.filter((name) => !malformed.includes(name))) {
    if (env[name]) settled[name] = env[name]
    else if (mayMake) settled[name] = keepSecret(directory, name)
    // Whoever checks tokens by published keys needs no secret for them.
    else if (name === 'AUTH_JWT_SECRET' && env.AUTH_JWKS_URL) settled[name] = ''
    // Came after the others: nobody who set those has to set it.
    else if (name === 'REVEAL_SECRET') settled[name] = revealSecretFrom(settled.SEALING_KEY)
    else complaints.push(`${name} is missing (it ${demands[name].sentence})`)
  }
  complaints.push(...shared(settled))
  if (complaints.length > 0) throw new Complaint(`${complaints.join('; ')}.`)
  return settled
}
