import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every file under a directory, whoever owns it. */
export const filesUnder = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** What base64 makes of a text that begins at any place of what is encoded: the part that its neighbours leave alone. */
const base64Of = (text: string) =>
  [0, 1, 2].map((before) => {
    const encoded = Buffer.from(`${' '.repeat(before)}${text}`)
      .toString('base64')
      .replace(/=+$/, '')
    const whole = Math.floor((before + Buffer.byteLength(text)) / 3) * 4
    return encoded.slice(before === 0 ? 0 : 4, whole)
  })

/** All spellings under which a text might lie about. */
const spellings = (text: string) => [text, ...base64Of(text), Buffer.from(text).toString('hex')]

/** @returns the files that hold the text in any spelling, and how much was read. */
export const searchFor = (text: string, files: readonly string[]) => {
  const spelled = spellings(text)
  const found: string[] = []
  let bytes = 0
  for (const file of files) {
    const content = readFileSync(file)
    bytes += content.length
    if (spelled.some((spelling) => content.includes(spelling))) found.push(file)
  }
  return { found, bytes }
}
