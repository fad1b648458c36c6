import { defineConfig } from 'vitest/config'

// What has its own number of processes, asks only what is kept, or is about answers alone, is not run again with two of each.
const once =
  process.env.E2E_INSTANCES === '2' ? ['**/{auditing,canary,contract-*,demo,refusals,rotation,verify}.e2e.test.ts'] : []

// The suffix is the ring (CONTRIBUTING.md). What touches real servers runs file after file: two cores, one stack.
const ring = (name: string, timeoutMilliseconds: number, parallel: boolean) => ({
  test: {
    name,
    include: [`**/*.${name}.test.ts`],
    exclude: ['**/node_modules/**', ...once],
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
      ring('e2e', 300_000, false),
    ],
  },
})
