import { openLog } from '@coding-plans/runtime'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { operation } from './desk.testing.ts'
import type { ShownOperation } from './rows.ts'
import type { Answers } from './store/answering.ts'
import { WaitingRoom } from './waiting.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const openRoom = () => {
  const visible = new Map<string, ShownOperation>()
  const asked: { waiting: readonly string[]; expired: readonly string[] }[] = []
  let away = false
  const state = { horizon: 0, away: (is: boolean) => (away = is) }
  const room = new WaitingRoom(
    {
      answers: async (waiting, expired): Promise<Answers> => {
        asked.push({ waiting, expired })
        if (away) throw new Error('away')
        const operations = waiting.flatMap((id) => visible.get(id) ?? (expired.includes(id) ? [operation({ id })] : []))
        return { operations, horizon: state.horizon }
      },
      numberAbandoned: async () => {},
    },
    openLog('gateway', 'silent'),
  )
  room.start()
  return { room, visible, asked, state }
}
const done = (id: string) => operation({ id, visible: true, outcome: 'succeeded', finishedAt: 0 })

test('all who wait are looked up together, and answered when their outcome can be read', async () => {
  const { room, visible, asked } = openRoom()
  const waits = [room.wait('op_1', 1_000), room.wait('op_1', 1_000), room.wait('op_2', 1_000)]
  await vi.advanceTimersByTimeAsync(50)
  expect(asked.at(-1)).toEqual({ waiting: ['op_1', 'op_2'], expired: [] })
  visible.set('op_1', done('op_1'))
  visible.set('op_2', done('op_2'))
  room.look()
  await vi.advanceTimersByTimeAsync(1)
  expect((await Promise.all(waits)).map((found) => found?.id)).toEqual(['op_1', 'op_1', 'op_2'])
  room.stop()
})

test('a wait that is over is answered as things stand; who waits longer goes on', async () => {
  const { room, visible } = openRoom()
  const short = room.wait('op_1', 0)
  const long = room.wait('op_1', 1_000)
  await vi.advanceTimersByTimeAsync(20)
  expect(await short).toMatchObject({ visible: false })
  visible.set('op_1', done('op_1'))
  await vi.advanceTimersByTimeAsync(20)
  expect(await long).toMatchObject({ visible: true })
  room.stop()
})

test('EXT-3: the horizon moves with the answers, and with those of other instances', async () => {
  const { room, state } = openRoom()
  state.horizon = 3
  await vi.advanceTimersByTimeAsync(30)
  expect(room.horizon).toBe(3)
  state.horizon = 2
  await vi.advanceTimersByTimeAsync(30)
  expect(room.horizon).toBe(3)
  room.stop()
})

test('OPS-2: while the database is away nobody waits longer than asked, but for a moment of patience', async () => {
  const { room, state, visible } = openRoom()
  state.away(true)
  const given = room.wait('op_1', 100)
  const patient = room.wait('op_1', 5_000)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await given).toBeNull()
  state.away(false)
  visible.set('op_1', done('op_1'))
  await vi.advanceTimersByTimeAsync(300)
  expect(await patient).toMatchObject({ visible: true })
  room.stop()
})

test('a stop answers all who wait, as things stand', async () => {
  const { room } = openRoom()
  const waiting = room.wait('op_1', 30_000)
  room.close()
  await vi.advanceTimersByTimeAsync(20)
  expect(await waiting).toMatchObject({ visible: false })
  room.stop()
})
