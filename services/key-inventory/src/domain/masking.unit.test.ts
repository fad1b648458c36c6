import { expect, test } from 'vitest'
import { mask } from './masking.ts'

test('SLT-1: the last 4 characters of a key are shown', () => {
  expect(mask('sk-live-0123456789abcdef')).toBe('••••cdef')
})

test('SLT-1: nothing is shown of a key of up to 8 characters, its length neither', () => {
  expect(mask('12345678')).toBe('••••••••')
  expect(mask('1')).toBe('••••••••')
  expect(mask('123456789')).toBe('••••6789')
})

test('INV-1: characters that cannot be seen are hidden, and characters of two units are one', () => {
  expect(mask('a-long-key-\u0000\u200b\u0007z')).toBe('•••••••z')
  expect(mask('a-long-key-🗝🗝🗝🗝')).toBe('••••🗝🗝🗝🗝')
})
