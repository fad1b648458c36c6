import { expect, test } from 'vitest'
import { LaneReading } from './reader.ts'

interface Fetch {
  readonly from: number
  readonly offsets: readonly number[]
  /** As the headers tell it, whatever was removed. */
  readonly last?: number
}

/** Reads a lane of these fetches: what was taken, what was complained of, and where it went on against the client's wish. */
const read = (range: { low: number; end: number; hasHoles?: boolean }, fetches: readonly Fetch[]) => {
  const reading = new LaneReading({ hasHoles: false, ...range })
  const [taken, complaints, detours]: [number[], string[], number[]] = [[], [], []]
  for (const { from: fetchedOffset, offsets, last } of fetches) {
    reading.begin({ fetchedOffset, lastOffset: last ?? offsets.at(-1) ?? fetchedOffset })
    for (const offset of offsets) {
      const place = reading.take(offset)
      if (place) taken.push(offset)
      if (place?.nonsense) complaints.push(`${offset}: ${place.nonsense}`)
    }
    const { detour } = reading
    if (detour !== null) detours.push(detour)
    if (!reading.isOver) continue
    const { nonsense } = reading.finish()
    if (nonsense) complaints.push(nonsense)
    return { taken, complaints, detours, isOver: true }
  }
  return { taken, complaints, detours, isOver: false }
}
const whole = { complaints: [], detours: [], isOver: true }

test('a lane whose records follow one another is right, from where retention lets it begin to its end at the start', () => {
  const fetches = [
    { from: 7, offsets: [7, 8, 9] },
    { from: 10, offsets: [10, 11, 12, 13] },
  ]
  expect(read({ low: 7, end: 12 }, fetches)).toEqual({ ...whole, taken: [7, 8, 9, 10, 11] })
})

test('a group that is dealt anew begins again: nothing is taken twice, and nothing is called wrong', () => {
  const fetches: Fetch[] = [
    { from: 0, offsets: [0, 1, 2] },
    { from: 0, offsets: [0, 1, 2] },
    { from: 3, offsets: [3] },
  ]
  expect(read({ low: 0, end: 4 }, fetches)).toEqual({ ...whole, detours: [], taken: [0, 1, 2, 3] })
  const [first, , last] = fetches as [Fetch, Fetch, Fetch]
  const shorter = [first, { from: 0, offsets: [0, 1] }, last]
  expect(read({ low: 0, end: 4 }, shorter)).toEqual({ ...whole, detours: [3], taken: [0, 1, 2, 3] })
})

test('a lost record is missed where the next one lies', () => {
  expect(read({ low: 0, end: 5 }, [{ from: 0, offsets: [0, 1, 3, 4] }])).toEqual({
    ...{ taken: [0, 1, 3, 4], complaints: ['3: offset 2 should be here'] },
    ...{ detours: [], isOver: true },
  })
})

test('a lane that begins or ends elsewhere than the broker says is wrong', () => {
  expect(read({ low: 0, end: 2 }, [{ from: 0, offsets: [1] }]).complaints).toEqual(['1: offset 0 should be here'])
  expect(read({ low: 0, end: 3 }, [{ from: 0, offsets: [0, 1], last: 2 }]).complaints).toEqual([
    'offset 2 should be here, the lane ends at 3',
  ])
})

const FAR = 2 ** 56

test('a batch that a turned bit puts far ahead is missed, what follows it is read, and the lane is not over before its end', () => {
  const amid = read({ low: 0, end: 4 }, [{ from: 0, offsets: [0, FAR + 1, 2, 3] }])
  expect(amid).toMatchObject({ taken: [0, 2, 3], complaints: ['2: offset 1 should be here'], isOver: true })
  const last = read({ low: 0, end: 4 }, [{ from: 0, offsets: [0, FAR + 1] }])
  expect(last).toMatchObject({ taken: [0], complaints: ['offset 1 should be here, the lane ends at 4'], isOver: true })
  const believed = read({ low: 0, end: FAR + 64 }, [{ from: 0, offsets: [0, FAR], last: FAR + 64 }])
  expect(believed).toMatchObject({ complaints: [`${FAR}: offset 1 should be here`], isOver: true })
})

test('a batch that a turned bit puts back is found, and does not lead the reader round in a circle', () => {
  const found = read({ low: 0, end: 7 }, [
    { from: 0, offsets: [0, 1, 2, 3, 1], last: 1 },
    { from: 2, offsets: [2, 3], last: 2 },
    { from: 4, offsets: [5, 6] },
  ])
  expect(found.complaints).toEqual(['1: offset 4 should be here'])
  expect(found.detours).toEqual([4])
  expect(found.isOver).toBe(true)
  expect(found.taken).toContain(6)
})

test('of a compacted lane records may be gone, but none comes before another', () => {
  const compacted = { low: 0, end: 10, hasHoles: true }
  expect(read(compacted, [{ from: 0, offsets: [2, 5, 7], last: 9 }])).toEqual({ ...whole, taken: [2, 5, 7] })
  expect(read(compacted, [{ from: 0, offsets: [2, 5, 4], last: 9 }]).complaints).toEqual(['4: offset 6 should be here'])
})
