import { expect, test } from 'vitest'
import { isUniqueViolation } from './failures.ts'
import { MemoryDatabase } from './memory.ts'

interface Seat {
  readonly id: string
  readonly row: number
  readonly guest: string | null
}

const open = () => {
  const database = new MemoryDatabase()
  const seats = database.table<Seat>('seats', ({ id }) => id, {
    unique: { one_seat_per_guest: ({ guest }) => guest },
    check: { rows_begin_at_one: ({ row }) => row > 0 },
  })
  seats.insert([
    { id: 'a', row: 1, guest: 'ada' },
    { id: 'b', row: 1, guest: null },
  ])
  return { database, seats }
}

test('what is changed keeps what is not named; what is not there is not made by a change', () => {
  const { seats } = open()
  seats.update([
    { id: 'a', row: 2 },
    { id: 'z', row: 2 },
  ])
  expect([...seats]).toEqual([
    { id: 'a', row: 2, guest: 'ada' },
    { id: 'b', row: 1, guest: null },
  ])
})

test('a key is taken once, and free again when its row lets go of it', () => {
  const { seats } = open()
  expect(() => seats.update([{ id: 'b', guest: 'ada' }])).toThrow('one_seat_per_guest ada is taken')
  seats.update([{ id: 'a', guest: null }])
  seats.update([{ id: 'b', guest: 'ada' }])
  expect(seats.get('b')?.guest).toBe('ada')
})

test('a second row of one key is the violation that a race is known by; unless nothing is to be written then', () => {
  const { seats } = open()
  const again = [{ id: 'a', row: 9, guest: null }]
  expect(() => seats.insert(again)).toThrow(expect.toSatisfy(isUniqueViolation))
  seats.insert(again, { orNothing: true })
  expect(seats.get('a')?.row).toBe(1)
})

test('of a transaction that fails nothing stays, keys included', async () => {
  const { database, seats } = open()
  const failed = database.transaction(async () => {
    seats.remove(({ id }) => id === 'a')
    seats.insert([{ id: 'c', row: 3, guest: 'ada' }])
    seats.update([{ id: 'b', row: 7 }])
    seats.upsert([{ id: 'c', row: 0, guest: 'ada' }])
  })
  await expect(failed).rejects.toThrow('rows_begin_at_one')
  expect([...seats].toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    { id: 'a', row: 1, guest: 'ada' },
    { id: 'b', row: 1, guest: null },
  ])
  expect(() => seats.update([{ id: 'b', guest: 'ada' }])).toThrow('is taken')
})
