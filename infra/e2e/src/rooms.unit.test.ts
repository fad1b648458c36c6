import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')

interface Report {
  readonly summary: {
    readonly error: number
    readonly totalCruised: number
    readonly violations: readonly { rule: { name: string }; from: string }[]
  }
}

const cruise = (...paths: string[]): Report['summary'] => {
  const command = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...paths]
  try {
    return (
      JSON.parse(execFileSync('depcruise', command, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })) as Report
    ).summary
  } catch (error) {
    // It exits with the number of violations.
    return (JSON.parse((error as { stdout: string }).stdout) as Report).summary
  }
}

const planted: string[] = []
const plant = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  planted.push(path)
}
afterEach(() => {
  for (const path of planted.splice(0)) rmSync(join(root, path), { force: true })
})

test('the import rules hold, over more than a hundred modules', () => {
  const { error, totalCruised, violations } = cruise('schemas', 'services', 'infra')
  expect(violations.map(({ rule, from }) => `${rule.name}: ${from}`)).toEqual([])
  expect(error).toBe(0)
  // A checker that sees nothing passes everything.
  expect(totalCruised).toBeGreaterThan(100)
}, 60_000)

test.each([
  ['services-never-meet', 'services/gateway/src/planted.ts', "import '../../credits-ledger/src/migrations/index.ts'\n"],
  ['kafka-has-one-room', 'services/gateway/src/planted.ts', "import 'kafkajs'\n"],
  ['the-core-is-pure', 'services/subscription/src/domain/planted.ts', "import 'node:fs'\n"],
  ['stores-in-memory-are-for-the-simulator', 'services/subscription/src/planted.ts', "import './in-memory.ts'\n"],
  ['sql-has-one-place', 'services/subscription/src/planted.ts', "import 'knex'\n"],
  [
    'the-runtime-knows-no-service',
    'infra/runtime/src/planted.ts',
    "import '../../../services/subscription/src/migrations/index.ts'\n",
  ],
])(
  'a planted violation of %s is seen',
  (rule, path, text) => {
    plant(path, text)
    expect(cruise(path).violations.map(({ rule: { name } }) => name)).toContain(rule)
  },
  60_000,
)
