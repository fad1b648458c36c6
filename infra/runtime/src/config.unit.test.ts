import { expect, test } from 'vitest'
import { integer, list, oneOf, readEnvironment, secret, text } from './config.ts'

test('all complaints are made at once, each names its variable, none repeats a secret', () => {
  const read = () =>
    readEnvironment(
      { VAULT_KEY: 'c2hvcnQ=', PORT: '99999', CLOCK: 'noon' },
      {
        VAULT_KEY: secret(),
        PORT: integer({ max: 65_535 }),
        CLOCK: oneOf(['system', 'test'], 'system'),
        URL: text(),
        B: list(),
      },
    )
  expect(read).toThrow(/VAULT_KEY must be 32 bytes.*PORT must be.*CLOCK must be one of.*URL is missing.*B is missing/)
  expect(read).not.toThrow(/c2hvcnQ/)
})

test('what is read is frozen and typed', () => {
  const environment = readEnvironment({ LIST: 'a,b' }, { LIST: list(), PORT: integer({ or: 7 }) })
  expect(environment).toEqual({ LIST: ['a', 'b'], PORT: 7 })
  expect(Object.isFrozen(environment)).toBe(true)
})
