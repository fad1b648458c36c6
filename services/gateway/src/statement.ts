import type { showEntry } from './presentation.ts'

type EntryBody = ReturnType<typeof showEntry>

const FIELDS = [
  'id',
  'at',
  'kind',
  'amountMicrodollars',
  'balanceAfterMicrodollars',
  'description',
  'subscriptionId',
  'chargeId',
] as const satisfies readonly (keyof EntryBody)[]

// A spreadsheet runs what begins like this; free text must stay text.
const FORMULA = /^[=+\-@\t\r]/

const cell = (value: string | number | null) => {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return `"${text.replaceAll('"', '""')}"`
}

const END_OF_LINE = '\r\n'

export const statementHeader = FIELDS.join(',') + END_OF_LINE

/** A line of the statement as CSV (RFC 4180): the fields of Entry (LED-6). */
export const statementLine = (entry: EntryBody) => FIELDS.map((field) => cell(entry[field])).join(',') + END_OF_LINE
