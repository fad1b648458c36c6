import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readEnvironment, secret, text } from './config.ts'
import { withSecretFiles } from './secret-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'coding-plans-secrets-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const file = (content: string) => {
  const path = join(directory, `${content.length}-${Math.random()}`)
  writeFileSync(path, content)
  return path
}

test('a secret is read from the file that its variable names, but for the line break at its end', () => {
  const key = Buffer.alloc(32, 7).toString('base64')
  const env = { VAULT_KEY_FILE: file(`${key}\n`), CRON_SECRET_FILE: file(' two\nlines \r\n'), HOST: 'here' }
  expect(withSecretFiles(env)).toMatchObject({ VAULT_KEY: key, CRON_SECRET: ' two\nlines ', HOST: 'here' })
  expect(withSecretFiles(withSecretFiles(env))).toEqual(withSecretFiles(env))
  expect(readEnvironment(env, { VAULT_KEY: secret() }).VAULT_KEY.equals(Buffer.alloc(32, 7))).toBe(true)
})

test('given twice or not to be read, it is complained of at once, and no value is shown', () => {
  const env = {
    CRON_SECRET: 'sesame-in-the-environment',
    CRON_SECRET_FILE: file('sesame-in-the-file'),
    VAULT_KEY_FILE: join(directory, 'nowhere'),
  }
  const sentence = (() => {
    try {
      return String(withSecretFiles(env))
    } catch (error) {
      return (error as Error).message
    }
  })()
  expect(sentence).toMatch(/CRON_SECRET and CRON_SECRET_FILE are both set\. VAULT_KEY_FILE cannot be read \(ENOENT\)/)
  expect(sentence).not.toContain('sesame')
})

test('what is no secret is not looked for in files', () => {
  const env = { LOG_LEVEL_FILE: file('debug') }
  expect(readEnvironment(env, { LOG_LEVEL: text({ or: 'info' }) })).toEqual({ LOG_LEVEL: 'info' })
})
