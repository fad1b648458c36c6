import { createHash } from 'node:crypto'
import type { Message } from '@coding-plans/runtime'
import type { Instant } from '@coding-plans/schemas'
import { mask } from './domain/masking.ts'
import { type GoodLine, type Line, type LineRefusal, readKey, readUpload } from './domain/upload.ts'
import { type Seals, slotSeal, uploadSeal } from './sealing.ts'
import { type Envelope, type Fingerprint, recordOfKey, recordOfSlot, type Vault } from './vault.ts'

/** A key as the stock will keep it: recognisable, showable, locked. */
export interface LockedLine {
  readonly line: number
  readonly keyId: string
  /** Hexadecimal. */
  readonly fingerprint: string
  readonly masked: string
  readonly upstreamPlanId: string | null
  readonly expiresAt: Instant | null
  readonly envelope: Envelope
}
export type OpenedUpload =
  | { readonly lines: readonly (LockedLine | { readonly line: number; readonly refused: LineRefusal })[] }
  | { readonly refused: 'sealing_key_unknown' }
export type OpenedKey =
  | { readonly masked: string; readonly envelope: Envelope }
  | { readonly refused: 'sealing_key_unknown' | 'key_invalid' }

export interface Secrets {
  readonly seals: Seals
  readonly vault: Vault
  readonly fingerprint: Fingerprint
}

/** The same upload gives its keys the same ids, so that one that comes again finds its own. */
export const keyIdOf = (operationId: string, line: number) =>
  `key_${createHash('sha256').update(`${operationId}|${line}`).digest('hex').slice(0, 24)}`

/**
 * Open, judge, recognise and lock an upload before any transaction: keys are in clear only here, in memory (INV-2).
 * @throws for a seal that does not open, or opens to no upload.
 */
export const openUpload =
  ({ seals, vault, fingerprint }: Secrets) =>
  async ({ body, time }: Message<'UploadKeys'>): Promise<OpenedUpload> => {
    const opened = await seals.open(body, uploadSeal(body))
    if (!opened) return { refused: 'sealing_key_unknown' }
    const lock = ({ line, key, upstreamPlanId, expiresAt }: GoodLine): LockedLine => {
      const keyId = keyIdOf(body.operationId, line)
      return {
        line,
        keyId,
        fingerprint: fingerprint(key).toString('hex'),
        masked: mask(key),
        upstreamPlanId,
        expiresAt,
        envelope: vault.lock(Buffer.from(key), recordOfKey(keyId)),
      }
    }
    try {
      return { lines: linesOf(opened, time).map((line) => ('refused' in line ? line : lock(line))) }
    } finally {
      opened.fill(0)
    }
  }

// A view: a copy would be one more place to wipe.
const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString()

const linesOf = (opened: Uint8Array, now: Instant): Line[] => {
  let given: unknown
  try {
    given = JSON.parse(textOf(opened))
  } catch {
    // The parser's own words quote the text, and the text is keys.
    throw new Error('The upload is not JSON.')
  }
  return readUpload(given, now)
}

/** As an upload, for the one key that a user puts into their slot. */
export const openOwnKey =
  ({ seals, vault }: Secrets) =>
  async ({ body }: Message<'PutOwnKey'>): Promise<OpenedKey> => {
    const opened = await seals.open(body, slotSeal(body))
    if (!opened) return { refused: 'sealing_key_unknown' }
    try {
      const read = readKey(textOf(opened))
      if ('refused' in read) return { refused: 'key_invalid' }
      const envelope = vault.lock(Buffer.from(read.key), recordOfSlot(body.userId, body.providerId))
      return { masked: mask(read.key), envelope }
    } finally {
      opened.fill(0)
    }
  }
