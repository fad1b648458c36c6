import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withoutSecret } from './cleaning.ts'

test('INV-9: of a secret nothing of 8 characters is left; what is shorter is no secret', () => {
  const secret = 'sk-live-0123456789abcdef'
  expect(withoutSecret(`the vendor said ${secret} is unknown`, secret)).toBe(
    `the vendor said ${'•'.repeat(secret.length)} is unknown`,
  )
  expect(withoutSecret('key …89abcdef refused', secret)).toBe('key …•••••••• refused')
  expect(withoutSecret('timeout abcdef', secret)).toBe('timeout abcdef')
  expect(withoutSecret('pin 1234 refused', '1234')).toBe('pin •••• refused')
})

test('INV-9: whatever the text, no part of the secret of 8 characters survives', () => {
  const secret = fc.string({ minLength: 8, maxLength: 20 })
  fc.assert(
    fc.property(secret, fc.array(fc.oneof(fc.string(), fc.nat(12)), { maxLength: 6 }), (key, parts) => {
      const text = parts.map((part) => (typeof part === 'number' ? key.slice(part) : part)).join('')
      const cleaned = withoutSecret(text, key)
      for (let from = 0; from + 8 <= cleaned.length; from += 1) {
        const part = cleaned.slice(from, from + 8)
        expect(key.includes(part) && !part.includes('•')).toBe(false)
      }
      expect(cleaned).toHaveLength(text.length)
    }),
  )
})
