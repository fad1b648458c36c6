import { hasOneMeaning } from './json-body.ts'
import { invalid } from './problem.ts'

/** One line of an upload as the inventory reads it; what a key may be is the inventory's to judge. */
export type UploadEntry =
  | { readonly line: number; readonly key?: string; readonly upstreamPlanId?: string; readonly expiresAt?: string }
  | { readonly line: number; readonly malformed: true }

export const MOST_ENTRIES = 1_000

const FIELDS = new Set(['key', 'upstreamPlanId', 'expiresAt'])

const entryFrom = (text: string, line: number): UploadEntry => {
  try {
    const entry: unknown = JSON.parse(text)
    const sound =
      entry !== null &&
      typeof entry === 'object' &&
      !Array.isArray(entry) &&
      Object.entries(entry).every(([name, value]) => FIELDS.has(name) && typeof value === 'string') &&
      hasOneMeaning(text, entry)
    if (sound) return { line, ...entry }
  } catch {
    // not JSON: an invalid line, as the report will say
  }
  return { line, malformed: true }
}

const counted = (entries: UploadEntry[]) => {
  if (entries.length < 1 || entries.length > MOST_ENTRIES)
    throw invalid(`An upload has 1 to ${MOST_ENTRIES} entries; this one has ${entries.length}.`)
  return entries
}

/** NDJSON: one object a line, counted from 1; blank lines are skipped, a malformed line is an invalid one. */
export const entriesFromLines = (text: string): UploadEntry[] =>
  counted(text.split(/\r?\n/).flatMap((line, place) => (line.trim() === '' ? [] : [entryFrom(line, place + 1)])))

/** JSON entries, counted from 1. */
export const entriesFromList = (
  list: readonly { key?: string; upstreamPlanId?: string; expiresAt?: string }[],
): UploadEntry[] => counted(list.map((entry, place) => ({ line: place + 1, ...entry })))
