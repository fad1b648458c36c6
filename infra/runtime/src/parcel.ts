import avsc from 'avsc'
import type { Outgoing } from './kafka/publisher.ts'

/**
 * What one transaction says on one lane, as the bytes of one row: a row for each message cost more than the message did.
 * Each different text is there once; most headers of a parcel's messages are the same.
 */
const form = avsc.Type.forSchema({
  type: 'record',
  name: 'Parcel',
  fields: [
    { name: 'texts', type: { type: 'array', items: 'string' } },
    {
      name: 'messages',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Message',
          fields: [
            { name: 'topic', type: 'int' },
            { name: 'lane', type: 'int' },
            { name: 'key', type: 'int' },
            { name: 'value', type: 'bytes' },
            // name, value, name, value …
            { name: 'headers', type: { type: 'array', items: 'int' } },
          ],
        },
      },
    },
  ],
})

interface Packed {
  readonly texts: string[]
  readonly messages: { topic: number; lane: number; key: number; value: Buffer; headers: number[] }[]
}

export const pack = (messages: readonly Outgoing[]): Buffer => {
  const places = new Map<string, number>()
  const texts: string[] = []
  const placeOf = (text: string) => {
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, texts.length)
    return texts.push(text) - 1
  }
  const packed: Packed = {
    texts,
    messages: messages.map(({ topic, lane, key, value, headers }) => {
      const pairs: number[] = []
      for (const name in headers) pairs.push(placeOf(name), placeOf(headers[name] as string))
      return { topic: placeOf(topic), lane, key: placeOf(key), value, headers: pairs }
    }),
  }
  return form.toBuffer(packed)
}

export const unpack = (parcel: Buffer): Outgoing[] => {
  const { texts, messages } = form.fromBuffer(parcel) as Packed
  const text = (place: number | undefined) => texts[place ?? -1] ?? ''
  return messages.map(({ topic, lane, key, value, headers: pairs }) => {
    const headers: Record<string, string> = {}
    for (let n = 0; n < pairs.length; n += 2) headers[text(pairs[n])] = text(pairs[n + 1])
    return { topic: text(topic), lane, key: text(key), value, headers }
  })
}
