import { isUtf8 } from 'node:buffer'
import { invalid } from './problem.ts'

/** Three times as deep as anything that can be asked for; what walks through a body cannot be led astray. */
const DEEPEST = 16

const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"/g

/** Names within a value, however deep. @throws Refused 400 for what is too deep */
const namesIn = (value: unknown, depth = 0): number => {
  if (value === null || typeof value !== 'object') return 0
  if (depth >= DEEPEST) throw invalid(`The body is nested deeper than ${DEEPEST}.`)
  const parts = Object.values(value)
  return parts.reduce((sum, part) => sum + namesIn(part, depth + 1), Array.isArray(value) ? 0 : parts.length)
}

/** Whether every name that is written is still there: one that was given twice is taken by some for its first, by others for its last. */
export const hasOneMeaning = (text: string, value: unknown) => {
  const written = text.replace(STRINGS, '').split(':').length - 1
  return written === namesIn(value)
}

/** @throws Refused 400; a byte that is no text would otherwise become another character in silence */
export const textOf = (body: Buffer) => {
  if (!isUtf8(body)) throw invalid('The body is not UTF-8.')
  return body.toString('utf8')
}

/** @throws Refused 400 */
export const requireOneMeaning = (text: string, value: unknown) => {
  if (!hasOneMeaning(text, value)) throw invalid('The body gives a name twice.')
  return value
}
