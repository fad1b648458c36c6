import { parseArgs } from 'node:util'
import { runChaos } from './run.ts'
import { openSite } from './site.ts'
import { refusalOf } from './soak.ts'

// npm run chaos -- [--seconds N] [--seed N] [--clients N] [--soak] [--keep]

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '12' },
    /** Long and gentle, to see what grows. */
    soak: { type: 'boolean', default: false },
    /** The files of the run stay, to be looked at. */
    keep: { type: 'boolean' },
  },
})

const numberOf = (name: 'seconds' | 'seed' | 'clients') => {
  const given = values[name]
  if (/^\d{1,9}$/.test(given)) return Number(given)
  console.error(`--${name} takes a whole number, not ${given}.`)
  return process.exit(2)
}

const [seconds, seed, clients] = [numberOf('seconds'), numberOf('seed'), numberOf('clients')]
const refusal = values.soak ? refusalOf(seconds) : null
if (refusal) {
  console.error(refusal)
  process.exit(2)
}
const began = performance.now()
const say = (line: string) => console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
const log = (line: string) => {
  if (process.env.CHAOS_VERBOSE) say(line)
}

const giveUp = new AbortController()
const opening = openSite(log, giveUp.signal)
let leaving = false

/** Nothing stays: no process, no file; whatever was under way. */
const leave = async (code: number) => {
  // Who is told twice goes at once; what runs goes with it.
  if (leaving) process.exit(1)
  leaving = true
  giveUp.abort()
  const site = await opening.catch(() => null)
  await site?.stop().catch(console.error)
  if (site && values.keep) say(`kept: ${site.directory}`)
  else site?.remove()
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void leave(1))

try {
  say(`seed ${seed}, ${seconds} s, ${clients} clients`)
  const site = await opening
  say('everything runs: two processes of every service')
  const violations = await runChaos(site, { seconds, seed, clients, soak: values.soak, say })
  await leave(violations > 0 ? 1 : 0)
} catch (error) {
  if (!leaving) {
    console.error(error)
    await leave(1)
  }
}
