import { openDatabase, readEnvironment, text } from '@coding-plans/runtime'
import { verifyLedger } from './verify-ledger.ts'

// The command of LED-5: names the first bad entry of each bad account, and ends with 1 if there is one.
const { DATABASE_URL } = readEnvironment(process.env, { DATABASE_URL: text() })
const knex = openDatabase(DATABASE_URL, { idleInTransactionMilliseconds: 60_000 }, 1)
try {
  const { accounts, transfers, openHolds, complaints } = await verifyLedger(knex)
  for (const complaint of complaints) console.error(complaint)
  const verdict = complaints.length > 0 ? 'THE LEDGER IS NOT RIGHT' : 'chains, balances and sums are right'
  console.log(`${accounts} accounts, ${transfers} transfers, ${openHolds} open holds: ${verdict}.`)
  if (complaints.length > 0) process.exitCode = 1
} finally {
  await knex.destroy()
}
