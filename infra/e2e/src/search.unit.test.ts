import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesUnder, searchFor, searchForAll } from './search.ts'

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

test('a secret is found as its bytes, as their text, and as a password in an address; each under its own name', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coding-plans-search-'))
  try {
    const [key, other] = [Buffer.from(`${'+/'.repeat(21)}8=`, 'base64'), randomBytes(32)]
    const text = key.toString('base64')
    const address = new URL('postgres://ada@127.0.0.1/x')
    address.password = text
    const contents = [key, text, key.toString('hex'), Buffer.from(text).toString('base64'), address.toString()]
    for (const [n, content] of contents.entries()) writeFileSync(join(directory, `${n}`), content)
    writeFileSync(join(directory, 'clean'), randomBytes(1_000).toString('base64'))
    const sought = { KEY: [text, key], OTHER: [other.toString('base64'), other] }
    const { found } = searchForAll(sought, filesUnder(directory))
    expect(found.KEY?.map((file) => file.slice(directory.length + 1)).sort()).toEqual([...contents.keys()].map(String))
    expect(found.OTHER).toEqual([])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
