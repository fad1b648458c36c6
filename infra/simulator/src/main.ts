import { parseArgs } from 'node:util'
import { bugs, isBug } from './bugs.ts'
import { runAll } from './crew.ts'
import { simulate } from './run.ts'

// npm run simulate -- [--seeds N] [--from N] | --seed N, and --bug NAME with either

const DEFAULT_SEEDS = 1_000
const NAMED_AT_MOST = 20

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    bug: { type: 'string' },
  },
})

const numberOf = (name: 'seeds' | 'from' | 'seed', otherwise: number) => {
  const given = values[name]
  if (given === undefined) return otherwise
  if (/^\d{1,9}$/.test(given)) return Number(given)
  console.error(`--${name} takes a whole number, not ${given}.`)
  return process.exit(2)
}

const bug = values.bug ?? null
if (bug !== null && !isBug(bug)) {
  console.error(`There is no bug ${bug}; there are ${Object.keys(bugs).join(', ')}.`)
  process.exit(2)
}

if (values.seed !== undefined) {
  const { violation, story } = await simulate(numberOf('seed', 0), { bug, tells: true })
  for (const line of story) console.log(line)
  console.log(violation ?? 'Nothing is wrong.')
  process.exitCode = violation ? 1 : 0
} else {
  const [count, from] = [numberOf('seeds', DEFAULT_SEEDS), numberOf('from', 1)]
  const began = performance.now()
  let [done, messages, kills, violations] = [0, 0, 0, 0]
  await runAll({ seeds: Array.from({ length: count }, (_, n) => from + n), bug }, (outcome) => {
    done += 1
    messages += outcome.messages
    kills += outcome.kills
    if (outcome.violation) {
      violations += 1
      console.log(`seed ${outcome.seed}: ${outcome.violation}`)
    }
    return violations < NAMED_AT_MOST
  })
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(`${done} seeds, ${messages} messages, ${kills} kills, ${violations} violations, ${seconds} s`)
  process.exitCode = violations > 0 || done < count ? 1 : 0
}
