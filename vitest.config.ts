import { defineConfig } from 'vitest/config'

// The suffix is the ring (CONTRIBUTING.md). What touches real servers runs file after file: two cores, one stack.
const ring = (name: string, timeoutMilliseconds: number, parallel: boolean) => ({
  test: {
    name,
    include: [`**/*.${name}.test.ts`],
    exclude: ['**/node_modules/**'],
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
