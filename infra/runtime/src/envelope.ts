import { createHash } from 'node:crypto'
import { type Instant, instant } from '@coding-plans/schemas'
import { Nonsense } from './failures.ts'
import { isMessageId } from './ids.ts'

/** What the headers of a record say (CloudEvents' Kafka binding, binary mode). */
export interface Envelope {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly time: Instant
  readonly subject: string
  readonly correlationId: string
  readonly causationId: string | null
  readonly traceparent: string | null
}

export const writeEnvelope = (envelope: Envelope): Record<string, string> => ({
  ce_specversion: '1.0',
  ce_id: envelope.id,
  ce_source: envelope.source,
  ce_type: envelope.type,
  ce_time: new Date(envelope.time).toISOString(),
  ce_subject: envelope.subject,
  ce_correlationid: envelope.correlationId,
  ...(envelope.causationId ? { ce_causationid: envelope.causationId } : {}),
  ...(envelope.traceparent ? { traceparent: envelope.traceparent } : {}),
  'content-type': 'application/avro',
})

/** @throws Nonsense for a record that no service of ours can have said. */
export const readEnvelope = (headers: Readonly<Record<string, string>>): Envelope => {
  const { ce_id: id, ce_source: source, ce_type: type, ce_time: time, ce_correlationid: correlationId } = headers
  if (!id || !isMessageId(id)) throw new Nonsense('The record has no usable ce_id.')
  if (Object.values(headers).some((value) => value.includes('\0')))
    throw new Nonsense('A header of the record holds U+0000.')
  if (!source || !type || !correlationId) throw new Nonsense('The record lacks ce_source, ce_type or ce_correlationid.')
  const milliseconds = Date.parse(time ?? '')
  if (Number.isNaN(milliseconds)) throw new Nonsense('The record has no usable ce_time.')
  return {
    id,
    source,
    type,
    time: instant(milliseconds),
    subject: headers.ce_subject ?? '',
    correlationId,
    causationId: headers.ce_causationid ?? null,
    traceparent: headers.traceparent ?? null,
  }
}

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/

/** The same trace, one span further: the span id follows from the message, so that a repeat is the same span. */
export const nextTraceparent = (traceparent: string | null, id: string): string | null => {
  const [, trace, flags] = TRACEPARENT.exec(traceparent ?? '') ?? []
  if (!trace) return null
  return `00-${trace}-${createHash('sha256').update(id).digest('hex').slice(0, 16)}-${flags}`
}
