import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Notebook } from '../memory.ts'
import { searchForKeys } from './files.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coding-plans-chaos-files-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const notebook = () => new Notebook('the-mark')

const searched = (files: Readonly<Record<string, string>>, known: Notebook) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  searchForKeys(directory, ['gateway-1'], known)
  return [...known.violations]
}

const asTheyAre = ({ plain }: Notebook) => ({
  'servers/kafka/credits-ledger.commands-0/0.log': `…${plain}…`,
  'servers/postgres/base/5/1': `…${plain}…`,
  'house/logs/gateway-1.log': '{"msg":"listening"}',
})

test('no key, and everything found that is known to be there', () => {
  const known = notebook()
  expect(searched(asTheyAre(known), known)).toEqual([])
})

test('a key is found', () => {
  const known = notebook()
  const files = { ...asTheyAre(known), 'servers/postgres/pg_wal/1': 'sk-the-mark-1' }
  expect(searched(files, known)).toEqual([['no key lies in plain sight', ['servers/postgres/pg_wal/1']]])
})

test('a search that is blind in one place is no search', () => {
  const known = notebook()
  const files = { ...asTheyAre(known), 'servers/kafka/credits-ledger.commands-0/0.log': 'compressed' }
  expect(searched(files, known)).toEqual([
    ['the search for keys finds what is there', [`not ${known.plain} in a segment of a topic`]],
  ])
})
