import { createHash } from 'node:crypto'

const uuidOf = (digest: Buffer) => {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80 // version 8: made by our own rule
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * The id of the index-th message that `service` says because of `cause`. The service is part of it: two services may
 * answer one event (protocol.md 2, Ids).
 */
export const messageId = (service: string, cause: string, index: number) =>
  uuidOf(createHash('sha256').update(`${service}|${cause}|${index}`).digest())

export const isMessageId = (id: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
