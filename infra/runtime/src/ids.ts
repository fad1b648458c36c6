import { hash } from 'node:crypto'

/** Of a digest in hexadecimal: its first 16 bytes, as a uuid of version 8 (made by our own rule). */
const uuidOf = (hex: string) => {
  const variant = ((Number.parseInt(hex[16] as string, 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/**
 * The id of the index-th message that `service` says because of `cause`. The service is part of it: two services may
 * answer one event (protocol.md 2, Ids).
 */
export const messageId = (service: string, cause: string, index: number) =>
  uuidOf(hash('sha256', `${service}|${cause}|${index}`))

export const isMessageId = (id: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
