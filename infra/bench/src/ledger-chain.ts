import { createHash } from 'node:crypto'
import pg from 'pg'
import { type LivedTable, type Row, spliced } from './lived-rows.ts'

/** What the ledger chains of a transfer, in its order (LED-5); the numbers among them. */
const NUMBERS = ['sequence', 'amount', 'available_after', 'held_after', 'at', 'boundary']
const CHAINED = [
  ...[
    'id',
    'user_id',
    'sequence',
    'kind',
    'amount',
    'from_account',
    'to_account',
    'available_after',
    'held_after',
    'at',
  ],
  ...['hold_id', 'operation_id', 'subscription_id', 'charge_id', 'boundary', 'description', 'actor', 'cause'],
]

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const jsonOf = (row: Row) =>
  CHAINED.map((name) => {
    const value = row[name] ?? null
    return NUMBERS.includes(name) && value !== null ? value : JSON.stringify(value)
  }).join()

/**
 * Each hash of a life's transfers, and the expression of a clone's instead of it: so that the ledger of clones verifies too.
 * @throws when the ledger chains otherwise by now.
 */
export const chainOf = (lived: readonly LivedTable[], ids: readonly string[]): ReadonlyMap<string, string> => {
  const transfers = lived.find(({ table }) => table.name === 'transfers')?.rows ?? []
  const clones = new Map<string, string>()
  let previous = { hash: '0'.repeat(64), expression: `'${'0'.repeat(64)}'` }
  for (const row of transfers.toSorted((a, b) => Number(a.sequence) - Number(b.sequence))) {
    const json = `",${jsonOf(row)}]`
    const hash = sha256(`["${previous.hash}${json}`)
    if (hash !== row.hash) throw new Error('The ledger makes its hashes of something else.')
    const text = `'["' || ${previous.expression} || ${spliced(json, ids) ?? pg.escapeLiteral(json)}`
    const expression = `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`
    clones.set(hash, expression)
    previous = { hash, expression }
  }
  return clones
}
