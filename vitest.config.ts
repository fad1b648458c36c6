import { defineConfig } from 'vitest/config'

/**
 * With two processes of everything runs again what depends on who owns what, and when; not what is about answers alone, has
 * its own number of processes, or asks only what is kept. What needs thousands of terms runs with two of each alone.
 */
const house =
  process.env.E2E_INSTANCES === '2'
    ? { include: ['**/{day,deletions,grace,kills,races,renewals,sweeps}.e2e.test.ts'], exclude: [] }
    : { include: ['**/*.e2e.test.ts'], exclude: ['**/sweeps.e2e.test.ts'] }

interface Files {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

const named = (ring: string): Files => ({ include: [`**/*.${ring}.test.ts`], exclude: [] })

// The suffix is the ring (CONTRIBUTING.md). What touches real servers runs file after file: two cores, one stack.
const ring = (name: string, timeoutMilliseconds: number, parallel: boolean, { include, exclude } = named(name)) => ({
  test: {
    name,
    include: [...include],
    exclude: ['**/node_modules/**', ...exclude],
    testTimeout: timeoutMilliseconds,
    hookTimeout: 180_000,
    fileParallelism: parallel,
    sequence: { groupOrder: parallel ? 0 : 1 },
  },
})

export default defineConfig({
  test: {
    projects: [
      ring('unit', 10_000, true),
      ring('property', 60_000, true),
      ring('int', 120_000, false),
      ring('e2e', 300_000, false, house),
    ],
  },
})
