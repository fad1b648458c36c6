import { message } from '@coding-plans/runtime/testing'
import { instant, userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { type LockedLine, openOwnKey, openUpload } from './prepare.ts'
import { seal } from './sealing.testing.ts'
import { openSeals, slotSeal, uploadSeal } from './sealing.ts'
import { openFingerprint, openVault, recordOfKey, recordOfSlot } from './vault.ts'

const seals = await openSeals(Buffer.alloc(32, 3))
const vault = openVault({ present: Buffer.alloc(32, 1) })
const secrets = { seals, vault, fingerprint: openFingerprint(Buffer.alloc(32, 2)) }
const time = instant(1_000)

const uploadOf = async (text: string, { operationId = 'op_1', sealingKeyId = seals.keyId } = {}) => {
  const where = { planId: 'gold', operationId }
  const sealed = await seal(seals.publicKey, text, uploadSeal(where))
  const body = { ...where, providerId: 'acme', sealingKeyId, sealed, allOrNothing: false, lowStockThreshold: 0 }
  return message('UploadKeys', { ...body, actor: 'admin-1' }, { time })
}
const linesOf = async (text: string, how = {}) => {
  const opened = await openUpload(secrets)(await uploadOf(text, how))
  if ('refused' in opened) throw new Error(opened.refused)
  return opened.lines
}
const ownKey = async (text: string, sealingKeyId = seals.keyId) => {
  const whose = { userId: userId('ada'), operationId: 'op_7', providerId: 'acme' }
  const sealed = await seal(seals.publicKey, text, slotSeal(whose))
  return message('PutOwnKey', { ...whose, sealingKeyId, sealed }, { time })
}

test('INV-2: an upload is opened, recognised and locked before it is decided; no line has its key in clear', async () => {
  const lines = await linesOf('[{"line":1,"key":" sk-live-0123 "},{"line":2,"malformed":true}]')
  const [good, bad] = lines as [LockedLine, object]
  expect(good).toMatchObject({ line: 1, masked: '••••0123', upstreamPlanId: null, expiresAt: null })
  expect(good.fingerprint).toBe(secrets.fingerprint('sk-live-0123').toString('hex'))
  expect(vault.open(good.envelope, recordOfKey(good.keyId)).toString()).toBe('sk-live-0123')
  expect(bad).toEqual({ line: 2, refused: 'malformed' })
  expect(JSON.stringify(lines)).not.toContain('sk-live')
})

test('IDE-4: the same upload gives its keys the same ids, another gives others', async () => {
  const text = '[{"line":1,"key":"sk-1"},{"line":2,"key":"sk-2"}]'
  const ids = async (operationId: string) =>
    (await linesOf(text, { operationId })).map((line) => (line as LockedLine).keyId)
  const first = await ids('op_1')
  expect(await ids('op_1')).toEqual(first)
  expect(new Set([...first, ...(await ids('op_2'))]).size).toBe(4)
})

test('INV-2: a seal to an unknown key is refused; one that does not open is nonsense', async () => {
  const unknown = await uploadOf('[]', { sealingKeyId: 'sk_unknown' })
  expect(await openUpload(secrets)(unknown)).toEqual({ refused: 'sealing_key_unknown' })
  expect(await openOwnKey(secrets)(await ownKey('k', 'sk_unknown'))).toEqual({ refused: 'sealing_key_unknown' })
  const upload = await uploadOf('[{"line":1,"key":"sk-1"}]')
  const moved = { ...upload, body: { ...upload.body, planId: 'iron' } }
  await expect(openUpload(secrets)(moved)).rejects.toThrow()
})

test('INV-2: what is no upload is nonsense, and the reason quotes none of it', async () => {
  for (const text of ['sk-live-0123', '{"key":"sk-live-0123"}', '[{"key":"sk-live-0123"}]']) {
    const failed = await linesOf(text).catch((error: Error) => error)
    expect(failed).toBeInstanceOf(Error)
    expect((failed as Error).message).not.toContain('sk-live')
  }
})

test("SLT-1: a user's own key is trimmed, judged and locked to its slot", async () => {
  const opened = await openOwnKey(secrets)(await ownKey(' sk-mine-9876 '))
  if ('refused' in opened) throw new Error(opened.refused)
  expect(opened.masked).toBe('••••9876')
  expect(vault.open(opened.envelope, recordOfSlot('ada', 'acme')).toString()).toBe('sk-mine-9876')
  for (const text of ['  ', 'x'.repeat(501)])
    expect(await openOwnKey(secrets)(await ownKey(text))).toEqual({ refused: 'key_invalid' })
})
