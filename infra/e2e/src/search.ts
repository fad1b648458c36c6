import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every file under a directory, whoever owns it. */
export const filesUnder = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** What base64 makes of bytes that begin at any place of what is encoded: the part that its neighbours leave alone. */
const base64Of = (bytes: Buffer) =>
  [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const whole = Math.floor((before + bytes.length) / 3) * 4
    return encoded.slice(before === 0 ? 0 : 4, whole)
  })

/** All spellings under which it might lie about; a text in an address too, where a password's + may stay. */
const spellings = (sought: string | Buffer) => {
  const bytes = Buffer.from(sought as string)
  const inAddress = typeof sought === 'string' ? encodeURIComponent(sought) : null
  const addresses = inAddress ? [inAddress, inAddress.replaceAll('%2B', '+')] : []
  return [bytes, ...base64Of(bytes), bytes.toString('hex'), ...addresses]
}

/** @returns the files that hold a text, or bytes, in any spelling, and how much was read. */
export const searchFor = (sought: string | Buffer, files: readonly string[]) => {
  const { found, bytes } = searchForAll({ sought: [sought] }, files)
  return { found: found.sought ?? [], bytes }
}

/** @returns by name the files that hold one of what is sought under it. */
export const searchForAll = (
  sought: Readonly<Record<string, readonly (string | Buffer)[]>>,
  files: readonly string[],
) => {
  const spelled = Object.entries(sought).map(([name, all]) => [name, all.flatMap(spellings)] as const)
  const found: Record<string, string[]> = Object.fromEntries(spelled.map(([name]) => [name, []]))
  let bytes = 0
  for (const file of files) {
    const content = readFileSync(file)
    bytes += content.length
    for (const [name, all] of spelled) if (all.some((spelling) => content.includes(spelling))) found[name]?.push(file)
  }
  return { found, bytes }
}
