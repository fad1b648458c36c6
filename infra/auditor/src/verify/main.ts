import { Complaint, findServers, loadEnvironment, topics } from '@coding-plans/local'
import { verify } from './verify.ts'

// Is what is kept right? Names the first differences, and ends with 1 if there are any.
const started = performance.now()
try {
  const servers = await findServers(loadEnvironment(), () => {})
  try {
    const { messages, accounts, transfers, complaints, unfinished } = await verify({
      cluster: servers.cluster,
      registryUrl: servers.registryUrl,
      registryCa: servers.registryCa,
      topics: topics.map(({ name }) => name),
      ledgerUrl: servers.databaseUrl('coding_plans_credits_ledger'),
    })
    for (const complaint of complaints) console.error(complaint)
    if (unfinished > 0)
      console.error(
        `${unfinished} of what is amiss may have been on its way when the house stopped: if it does not run, start it and verify again.`,
      )
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const verdict =
      complaints.length > 0
        ? 'WHAT IS KEPT IS NOT RIGHT'
        : 'chains, checksums and sums are right, and Kafka and PostgreSQL say the same'
    console.log(`${messages} messages, ${accounts} accounts, ${transfers} postings in ${seconds} s: ${verdict}.`)
    if (complaints.length > 0) process.exitCode = 1
  } finally {
    await servers.close()
  }
} catch (error) {
  if (!(error instanceof Complaint)) throw error
  console.error(error.message)
  process.exitCode = 1
}
