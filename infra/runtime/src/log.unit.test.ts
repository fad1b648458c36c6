import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const logged = (statement: string) => {
  const source = `import { openLog } from '${new URL('./log.ts', import.meta.url)}'; const log = openLog('probe', 'info'); ${statement}`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  return JSON.parse(stdout) as { service: string; err: Record<string, string>; key: string }
}

test('an error is told by its kind, words and place, never by what a driver attached to it', () => {
  const error =
    "Object.assign(new TypeError('no such column'), { code: '42703', bindings: ['sk-secret'], detail: 'sk-secret' })"
  const line = logged(`log.warn({ err: ${error} }, 'x')`)
  expect(line).toMatchObject({ service: 'probe', err: { type: 'TypeError', message: 'no such column', code: '42703' } })
  expect(line.err.stack).toContain('at ')
  expect(JSON.stringify(line)).not.toContain('sk-secret')
})

test('the last fence: a secret by name is not told', () => {
  expect(logged(`log.info({ key: 'sk-secret' }, 'x')`).key).toBe('[redacted]')
})
