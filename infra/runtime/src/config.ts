import { readFileSync } from 'node:fs'
import { withSecretFiles } from './secret-files.ts'

/** How one variable is read: a value, or a sentence of complaint. */
type Reading<T> = (text: string | undefined) => { value: T } | { complaint: string }

export const text =
  ({ or }: { or?: string } = {}): Reading<string> =>
  (given) => {
    const value = given ?? or
    return value === undefined || value === '' ? { complaint: 'is missing' } : { value }
  }

export const optional = (): Reading<string | null> => (given) => ({
  value: given === undefined || given === '' ? null : given,
})

export const integer =
  ({ min = 0, max = Number.MAX_SAFE_INTEGER, or }: { min?: number; max?: number; or?: number } = {}): Reading<number> =>
  (given) => {
    if (given === undefined && or !== undefined) return { value: or }
    const value = Number(given)
    if (given === undefined || !/^\d+$/.test(given) || value < min || value > max)
      return { complaint: `must be a whole number from ${min} to ${max}` }
    return { value }
  }

/** 32 bytes, base64. The complaint never repeats the value. */
export const secret = (): Reading<Buffer> => (given) => {
  const value = Buffer.from(given ?? '', 'base64')
  return value.length === 32
    ? { value }
    : { complaint: given ? 'must be 32 bytes, base64' : 'is missing (32 bytes, base64)' }
}

/** Several such, with commas between; none if absent. The complaint never repeats a value. */
export const secrets =
  ({ most }: { most?: number } = {}): Reading<Buffer[]> =>
  (given) => {
    const value = (given ?? '')
      .split(',')
      .filter((item) => item !== '')
      .map((item) => Buffer.from(item, 'base64'))
    if (value.some(({ length }) => length !== 32)) return { complaint: 'must be 32 bytes each, base64' }
    if (most !== undefined && value.length > most) return { complaint: `must not be more than ${most}` }
    return { value }
  }

export const oneOf =
  <T extends string>(choices: readonly T[], or: T): Reading<T> =>
  (given) => {
    const value = (given ?? or) as T
    return choices.includes(value) ? { value } : { complaint: `must be one of ${choices.join(', ')}` }
  }

export const list =
  ({ or }: { or?: string } = {}): Reading<string[]> =>
  (given) => {
    const value = (given ?? or ?? '').split(',').filter((item) => item !== '')
    return value.length > 0 || or !== undefined ? { value } : { complaint: 'is missing' }
  }

/** Who vouches for a server: `ca` (PEM), or whom this machine trusts anyway. */
export interface Authorities {
  readonly ca?: string
}

/** A file of certificates (PEM), or `system`; null if absent. */
export const authorities = (): Reading<Authorities | null> => (given) => {
  if (!given) return { value: null }
  if (given === 'system') return { value: {} }
  try {
    const ca = readFileSync(given, 'utf8')
    return ca.includes('-----BEGIN CERTIFICATE-----')
      ? { value: { ca } }
      : { complaint: 'names a file without a certificate' }
  } catch (error) {
    return { complaint: `names a file that cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

// The driver's own ways to encrypt and not look whom one talks to.
const UNCHECKED = /[?&](sslmode=no-verify|uselibpqcompat=)/

/** The address of a database; with `sslmode=verify-full&sslrootcert=<file>` in it, encrypted and checked. */
export const databaseUrl = (): Reading<string> => (given) => {
  if (!given) return { complaint: 'is missing' }
  return UNCHECKED.test(given)
    ? { complaint: 'must not leave certificates unchecked (sslmode=verify-full)' }
    : { value: given }
}

type Values<Spec> = { readonly [Name in keyof Spec]: Spec[Name] extends Reading<infer T> ? T : never }

/** Read the environment once, complain about everything at once, freeze. @throws one Error that names every bad variable. */
export const readEnvironment = <Spec extends Record<string, Reading<unknown>>>(
  given: NodeJS.ProcessEnv,
  spec: Spec,
): Values<Spec> => {
  const env = withSecretFiles(given)
  const complaints: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, read] of Object.entries(spec)) {
    const reading = read(env[name])
    if ('complaint' in reading) complaints.push(`${name} ${reading.complaint}.`)
    else values[name] = reading.value
  }
  if (complaints.length > 0) throw new Error(complaints.join(' '))
  return Object.freeze(values) as Values<Spec>
}

/** One secret in two places is one secret less. @throws one Error that names them and shows neither. */
export const refuseSharedSecrets = (secrets: Readonly<Record<string, Buffer>>) => {
  const complaints = Object.entries(secrets).flatMap(([name, value], place, all) =>
    all.slice(place + 1).flatMap(([other, its]) => (value.equals(its) ? [`${name} and ${other} are the same.`] : [])),
  )
  if (complaints.length > 0) throw new Error(`${complaints.join(' ')} Each secret must be its own.`)
}
