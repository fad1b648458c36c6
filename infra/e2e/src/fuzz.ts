import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countDeadLetters } from './dead-letters.ts'
import { buy, eventually, grant, type House, openHouse, openShop, USD } from './house.ts'

// `npm run fuzz`: whatever /openapi.json allows, and what it forbids, sent to a house of its own by Schemathesis, from one seed.
// No 5xx, no status, media type, header or body that is not described; nothing invalid taken, nothing answered without a token.

const SEED = 1
const tool = process.env.SCHEMATHESIS ?? 'schemathesis'

interface Pass {
  readonly name: string
  /** What is sent as `Authorization`; null: nothing. */
  readonly bearer: string | null
  readonly examples: number
  readonly phases: string
  readonly operations: readonly string[]
}

const DELETIONS = ['DELETE /v1/me', 'DELETE /v1/admin/users/{userId}']
const TICK = 'POST /v1/cron/billing'
const only = (names: readonly string[]) => names.flatMap((name) => ['--include-name', name])
const allBut = (names: readonly string[]) => names.flatMap((name) => ['--exclude-name', name])

/** Deletions come last: whoever is deleted is refused everything else, which would then not be tried. */
const passes = async ({ stack }: House, user: string): Promise<Pass[]> => [
  {
    name: 'an admin',
    bearer: await stack.token('fuzz-admin', ['admin']),
    examples: 12,
    phases: 'examples,coverage,fuzzing',
    operations: allBut([...DELETIONS, TICK]),
  },
  {
    name: 'a user',
    bearer: await stack.token(user),
    examples: 5,
    phases: 'fuzzing',
    operations: allBut([...DELETIONS, TICK]),
  },
  { name: 'nobody', bearer: null, examples: 1, phases: 'fuzzing', operations: [] },
  {
    name: 'the machine that ticks',
    bearer: stack.secrets.CRON_SECRET,
    examples: 5,
    phases: 'coverage,fuzzing',
    operations: only([TICK]),
  },
  {
    name: 'an admin who deletes',
    bearer: await stack.token('fuzz-deleter', ['admin']),
    examples: 5,
    phases: 'coverage,fuzzing',
    operations: only(DELETIONS),
  },
]

/** Things that exist, so that not everything is 404. */
const furnish = async (house: House) => {
  const user = 'fuzz-user'
  const { planId, providerId } = await openShop(house, { keys: 50 })
  await grant(house, user, 1_000 * USD)
  const { body: purchase } = await buy(await house.as(user), planId)
  const { body: keys } = await house.admin('GET /admin/inventory/keys')
  const { body: entries } = await (await house.as(user))('GET /credits/entries')
  await verdict(house, '')
  const found = [purchase.subscription, keys.data[0], entries.data[0]].map(({ id }: { id: string }) => id)
  return { user, providerId, ids: [planId, purchase.operationId, ...found] }
}

/** What the auditor found after `since`. */
const verdict = async (house: House, since: string) => {
  const { body } = await eventually(
    () => house.admin('GET /admin/invariants'),
    ({ status, body }) => status === 200 && body.checkedAt > since,
  )
  return body as { ok: boolean; checkedAt: string; checks: { name: string; ok: boolean; examples: string[] }[] }
}

/** The bearer comes from the environment: a command line is seen by everybody. */
const settings = (bearer: boolean, { user, providerId, ids }: Awaited<ReturnType<typeof furnish>>) => `
${bearer ? `headers = { Authorization = "Bearer \${FUZZ_BEARER}" }` : ''}
warnings = false
cache.enabled = false
# A command answers after 10 s at the latest (202), and a busy machine takes its time.
request-timeout = 40
[dictionaries]
ids.values = ${JSON.stringify(ids)}
providers.values = ${JSON.stringify([providerId])}
users.values = ${JSON.stringify([user])}
[parameters]
"path.id" = { dictionary = "ids", probability = 0.5 }
"path.providerId" = { dictionary = "providers", probability = 0.5 }
"path.userId" = { dictionary = "users", probability = 0.5 }
[checks]
# A cursor, an instant, a duration or a price may be refused for what it means, which no schema says.
positive_data_acceptance.enabled = false
# The contract has no 405: a path with another method is a path that is not there.
unsupported_method.enabled = false
[[operations]]
# The auditor may not have heard of everything yet: "ask later" is its answer, and no fault.
include-name = "GET /v1/credits/entries/{id}/explanation"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]
`

const run = (arguments_: readonly string[], env: NodeJS.ProcessEnv, cwd: string, signal: AbortSignal) =>
  new Promise<{ code: number | null; said: string }>((resolve, reject) => {
    const child = spawn(tool, arguments_, {
      env: { ...process.env, ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += String(part)))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, said }))
  })

const fuzz = async (house: House, directory: string, signal: AbortSignal) => {
  const furniture = await furnish(house)
  const description = join(directory, 'openapi.json')
  writeFileSync(description, JSON.stringify((await house.admin('GET /openapi.json')).body))
  let requests = 0
  let sound = true
  for (const { name, bearer, examples, phases, operations } of await passes(house, furniture.user)) {
    const config = join(directory, 'schemathesis.toml')
    writeFileSync(config, settings(bearer !== null, furniture))
    const limits = ['--seed', String(SEED), '--max-examples', String(examples), '--phases', phases]
    const { code, said } = await run(
      ['--config-file', config, 'run', description, '--url', house.stack.url, ...limits, ...operations].concat([
        '--continue-on-failure',
        '--generation-database',
        'none',
        '--no-color',
      ]),
      bearer === null ? {} : { FUZZ_BEARER: bearer },
      directory,
      signal,
    )
    const sent = Number(/(\d+) generated/.exec(said)?.[1] ?? 0)
    requests += sent
    console.log(`as ${name}: ${sent} requests${code === 0 ? '' : ', with findings'}`)
    if (code === 0 && sent > 0) continue
    sound = false
    console.log(said)
  }
  const carriedOut = await nothingDied(house)
  const { checkedAt } = await verdict(house, '')
  const found = await verdict(house, checkedAt)
  if (!found.ok) console.log('The books are not right:', JSON.stringify(found.checks.filter(({ ok }) => !ok)))
  console.log(`${requests} requests fuzzed`)
  return sound && carriedOut && found.ok
}

/** What was accepted must have been carried out or refused. */
const nothingDied = async ({ stack }: House) => {
  const letters = (await countDeadLetters(stack)).filter(({ dead }) => dead > 0)
  for (const { service, dead } of letters)
    console.log(`${service} has ${dead} dead letters: something was accepted that cannot be carried out.`)
  return letters.length === 0
}

const directory = mkdtempSync(join(tmpdir(), 'coding-plans-fuzz-'))
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
try {
  await run(['--version'], {}, directory, stopping.signal).catch(() => {
    throw new Error(
      '`npm run fuzz` needs Schemathesis: pip install schemathesis==4.32.5, or say where it is in SCHEMATHESIS.',
    )
  })
  const house = await openHouse({ clock: 'system', env: { LOG_LEVEL: 'warn' } })
  try {
    if (!(await fuzz(house, directory, stopping.signal))) process.exitCode = 1
  } finally {
    await house.close()
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
