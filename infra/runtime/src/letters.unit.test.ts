import { expect, test } from 'vitest'
import { messageId } from './ids.ts'
import { isMarked, type Letter, markOf, withMark } from './letters.ts'
import { shown } from './rehearsal.ts'

const place = { topic: 'ledger.commands', offset: 7 }
const letter = {
  ...place,
  id: messageId('ledger', 'dead', 0),
  redrives: 2,
  headers: { ce_id: 'x' },
} as unknown as Letter

test('a redriven copy is known to its own service alone, and by its number', () => {
  const headers = withMark('ledger', letter)
  expect([isMarked({ headers }), isMarked({ headers: letter.headers })]).toEqual([true, false])
  expect(markOf('ledger', headers)).toEqual({ id: letter.id, redrives: 2, ...place })
  expect(markOf('gateway', headers)).toBeNull()
  expect(markOf('ledger', { redrive: 'ledger|no id|1|7|ledger.commands' })).toBeNull()
  expect(markOf('ledger', letter.headers)).toBeNull()
})

test('what a rehearsal shows of bytes is their number, at any depth', () => {
  const body = { sealed: Buffer.from('secret'), lines: [{ key: Buffer.from('more'), line: 1 }], none: null }
  expect(JSON.parse(shown(body))).toEqual({ sealed: '<6 bytes>', lines: [{ key: '<4 bytes>', line: 1 }], none: null })
  expect(shown({ text: 'x'.repeat(10_000) }).length).toBeLessThan(5_000)
})
