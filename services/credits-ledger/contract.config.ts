import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'contract', include: ['src/**/*.contract.test.ts'], testTimeout: 20_000, hookTimeout: 20_000 },
})
