import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { empty, emptySlot, enable, install, put, refusalOf, uninstall } from './slot.ts'

const nobody = emptySlot(userId('ada'), 'acme', instant(1))
const own = put(nobody, '••••1234', instant(10))
const plans = install(nobody, { subscriptionId: 'sub_1', keyId: 'key_1', masked: '••••cdef' }, instant(10))
const USERS = ['put', 'enable', 'delete'] as const

test('SLT-1: the user puts a key in, enabled, and a second replaces it', () => {
  expect(own).toMatchObject({ managedBy: 'user', enabled: true, masked: '••••1234', createdAt: 10, version: 1 })
  const again = put(enable(own, false, instant(15)), '••••5678', instant(20))
  const told = { enabled: true, masked: '••••5678', createdAt: 10, updatedAt: 20, version: 3 }
  expect(again).toMatchObject(told)
})

test('SLT-1: a deleted key leaves an empty slot whose version goes on', () => {
  const emptied = empty(own, instant(20))
  expect(emptied).toMatchObject({ managedBy: 'none', masked: null, enabled: false, version: 2 })
  expect(put(emptied, '••••9999', instant(30))).toMatchObject({ createdAt: 30, version: 3 })
})

test('SLT-1: what a plan manages is read-only to its user', () => {
  for (const command of USERS) expect(refusalOf(plans, command)).toBe('slot_managed')
  expect(refusalOf(plans, 'test')).toBeNull()
})

test('SLT-1: an empty slot can only be filled', () => {
  expect(refusalOf(nobody, 'put')).toBeNull()
  for (const command of ['enable', 'delete', 'test'] as const) expect(refusalOf(nobody, command)).toBe('not_found')
})

test("SUB-4: the user's own key, even a disabled one, occupies the slot", () => {
  expect(refusalOf(own, 'install')).toBe('slot_occupied')
  expect(refusalOf(enable(own, false, instant(20)), 'install')).toBe('slot_occupied')
})

test("SUB-6: a plan's key is not replaced by a second plan's", () => {
  expect(refusalOf(plans, 'install')).toBe('slot_occupied')
})

test('REA-2: the end of a subscription takes out its own key and nothing else', () => {
  expect(uninstall(plans, 'sub_1', instant(20))).toMatchObject({ managedBy: 'none', keyId: null, version: 2 })
  expect(uninstall(plans, 'sub_2', instant(20))).toBe(plans)
  expect(uninstall(own, 'sub_1', instant(20))).toBe(own)
  expect(uninstall(nobody, 'sub_1', instant(20))).toBe(nobody)
})

test('a refused change cannot be made by mistake', () => {
  expect(() => put(plans, '••••1234', instant(20))).toThrow('managed by plan')
  expect(() => install(own, { subscriptionId: 's', keyId: 'k', masked: 'm' }, instant(20))).toThrow('managed by user')
  expect(() => empty(nobody, instant(20))).toThrow('managed by none')
})
