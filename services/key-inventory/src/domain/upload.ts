import { type Bodies, type Instant, instant } from '@coding-plans/schemas'

export type LineRefusal =
  | 'malformed'
  | 'key_missing'
  | 'key_too_long'
  | 'upstream_plan_id_invalid'
  | 'expires_at_invalid'
  | 'expires_in_the_past'

export interface GoodLine {
  readonly line: number
  readonly key: string
  readonly upstreamPlanId: string | null
  readonly expiresAt: Instant | null
}
export type Line = GoodLine | { readonly line: number; readonly refused: LineRefusal }
export type LineReport = Bodies['KeysUploaded']['report'][number]

const MOST_LINES = 1_000
const MOST_CHARACTERS = 500
// The lines of a whole upload must fit into one StockChanged.
const MOST_UPSTREAM_PLAN_ID_CHARACTERS = 200

/** A key as it is kept: trimmed, 1..500 characters, any character inside (INV-1). */
export const readKey = (
  given: unknown,
): { key: string } | { refused: 'key_missing' | 'key_too_long' | 'malformed' } => {
  if (typeof given !== 'string') return { refused: 'key_missing' }
  const key = given.trim()
  if (key === '') return { refused: 'key_missing' }
  // Half a surrogate pair has no bytes of its own: another key would come out than went in.
  if (!key.isWellFormed()) return { refused: 'malformed' }
  return [...key].length > MOST_CHARACTERS ? { refused: 'key_too_long' } : { key }
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/

/** ISO 8601 in UTC; null for anything else, the 30th of February too. */
const readInstant = (given: unknown): Instant | null => {
  if (typeof given !== 'string' || !INSTANT.test(given)) return null
  const milliseconds = Date.parse(given)
  if (Number.isNaN(milliseconds)) return null
  return new Date(milliseconds).toISOString().slice(0, 10) === given.slice(0, 10) ? instant(milliseconds) : null
}

const readUpstreamPlanId = (given: unknown): string | null | undefined => {
  if (given === undefined || given === null) return null
  if (typeof given !== 'string' || !given.isWellFormed() || given.includes('\u0000')) return undefined
  const id = given.trim()
  return id === '' || [...id].length > MOST_UPSTREAM_PLAN_ID_CHARACTERS ? undefined : id
}

const readLine = (entry: Record<string, unknown>, line: number, now: Instant): Line => {
  if (entry.malformed === true) return { line, refused: 'malformed' }
  const read = readKey(entry.key)
  if ('refused' in read) return { line, refused: read.refused }
  const upstreamPlanId = readUpstreamPlanId(entry.upstreamPlanId)
  if (upstreamPlanId === undefined) return { line, refused: 'upstream_plan_id_invalid' }
  if (entry.expiresAt === undefined || entry.expiresAt === null)
    return { line, key: read.key, upstreamPlanId, expiresAt: null }
  const expiresAt = readInstant(entry.expiresAt)
  if (expiresAt === null) return { line, refused: 'expires_at_invalid' }
  return expiresAt <= now
    ? { line, refused: 'expires_in_the_past' }
    : { line, key: read.key, upstreamPlanId, expiresAt }
}

/** The lines of an upload, each good or refused with its reason (INV-1). @throws for what is no upload at all. */
export const readUpload = (given: unknown, now: Instant): Line[] => {
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_LINES)
    throw new Error(`An upload has 1 to ${MOST_LINES} lines.`)
  const known = new Set<number>()
  return given.map((entry: unknown) => {
    const line = (entry as { line?: unknown } | null)?.line
    if (typeof line !== 'number' || !Number.isInteger(line) || line < 1 || known.has(line))
      throw new Error('Every line of an upload has a number of its own, from 1.')
    known.add(line)
    return readLine(entry as Record<string, unknown>, line, now)
  })
}

export const count = (report: readonly LineReport[], outcome: LineReport['outcome']) =>
  report.filter((line) => line.outcome === outcome).length
