import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesUnder, searchFor } from './search.ts'

test('a text is found as it is, in base64 wherever it begins, and in hex; another is not', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coding-plans-search-'))
  try {
    const mark = 'canary0123456789abcdef'
    const around = ['', 'x', 'xy'].map((before) => Buffer.from(`${before}${mark}, and more`))
    const contents = [
      ...around,
      ...around.map((text) => Buffer.from(text.toString('base64'))),
      Buffer.from(Buffer.from(mark).toString('hex')),
    ]
    for (const [n, content] of contents.entries()) writeFileSync(join(directory, `${n}`), content)
    writeFileSync(join(directory, 'clean'), 'canary0123456789abcdeX')
    const { found, bytes } = searchFor(mark, filesUnder(directory))
    expect(found.map((file) => file.slice(directory.length + 1)).sort()).toEqual([...contents.keys()].map(String))
    expect(bytes).toBe(contents.reduce((sum, { length }) => sum + length, mark.length))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
