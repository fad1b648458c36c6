import type { Message } from '@coding-plans/runtime'
import { expect, test } from 'vitest'
import { type Kept, roundWith } from './round.testing.ts'
import {
  assignKey,
  bodies,
  deleteOwnKey,
  enableOwnKey,
  putOwnKey,
  removeKey,
  settleRevocation,
  testKey,
  unlinkKeys,
  upload,
  World,
} from './world.testing.ts'

const STORY: readonly (readonly Message[])[] = [
  [upload('op_1', ['a', { refused: 'malformed' }, 'b', 'a', { key: 'c', expiresAt: 1_500 }])],
  [upload('op_2', ['b', 'd'], { planId: 'iron' }), upload('op_3', ['e'], { lowStockThreshold: 3 })],
  [
    assignKey('ada', 'op_4', { upstreamRevocation: 'manual' }),
    putOwnKey('bob', 'op_5', 'mine'),
    assignKey('bob', 'op_6'),
  ],
  [upload('op_7', ['f', 'a'], { allOrNothing: true }), enableOwnKey('bob', 'op_8', false), testKey('bob', 'op_9')],
  [removeKey('ada', 'sub_op_4'), assignKey('eve', 'op_10'), removeKey('eve', 'sub_op_10'), removeKey('kim', 'sub_0')],
  [assignKey('ada', 'op_11', { time: 1_500 }), assignKey('eve', 'op_12', { time: 1_600 }), assignKey('kim', 'op_13')],
  [deleteOwnKey('bob', 'op_14'), assignKey('bob', 'op_15', { planId: 'iron' }), enableOwnKey('kim', 'op_16', true)],
  [assignKey('ada', 'op_11', { time: 1_500 }), assignKey('bob', 'op_6'), putOwnKey('bob', 'op_5', 'mine')],
  [upload('op_1', ['a', { refused: 'malformed' }, 'b', 'a', { key: 'c', expiresAt: 1_500 }])],
  [removeKey('bob', 'sub_op_15'), removeKey('ada', 'sub_op_11', 9_000), putOwnKey('bob', 'op_17', 'mine')],
  [settleRevocation('op_1/1', 'op_18', 'failed', { reason: 'no' }), settleRevocation('op_1/1', 'op_19', 'requeue')],
  [settleRevocation('op_1/1', 'op_20', 'done'), settleRevocation('op_1/1', 'op_20', 'done')],
  [unlinkKeys('bob'), assignKey('bob', 'op_21'), putOwnKey('bob', 'op_22', 'mine')],
  [unlinkKeys('bob'), unlinkKeys('kim')],
]

/** What every store of the inventory does, told as tests. Each is given a new one. */
export const keepsTheContract = (open: () => Kept) => {
  test('what a round decided is what the next one finds', async () => {
    const [kept, world] = [open(), new World()]
    for (const messages of STORY) expect(await roundWith(kept, messages)).toEqual(world.round(...messages))
  })

  test('SUB-7: the oldest keys go first, what has expired goes to nobody', async () => {
    const kept = open()
    const [soon, late] = [
      { key: 'soon', expiresAt: 1_200 },
      { key: 'late', expiresAt: 1_900 },
    ]
    await roundWith(kept, [upload('op_up', [soon, late, 'ever'])])
    const buyers = ['ada', 'bob', 'eve'].map((user, n) => assignKey(user, `op_${n}`, { time: 1_500 }))
    const said = await roundWith(kept, buyers)
    expect(bodies(said, 'KeyAssigned').map(({ keyId }) => keyId)).toEqual(['op_up/2', 'op_up/3'])
    expect(bodies(said, 'KeyDeclined').map(({ reason }) => reason)).toEqual(['sold_out'])
    expect(bodies(said, 'StockChanged')).toMatchObject([{ available: 0, assigned: 2, retired: 1 }])
  })

  test('of a round that fails nothing is kept', async () => {
    const kept = open()
    await roundWith(kept, [upload('op_up', ['one'])])
    const failing: Kept = {
      store: { ...kept.store, save: (tx, round) => kept.store.save(tx, round).then(() => Promise.reject('dies')) },
      transaction: kept.transaction,
    }
    await expect(roundWith(failing, [assignKey('ada', 'op_1'), putOwnKey('bob', 'op_2', 'mine')])).rejects.toBe('dies')
    const said = await roundWith(kept, [assignKey('bob', 'op_3')])
    expect(bodies(said, 'KeyAssigned')).toMatchObject([{ keyId: 'op_up/1', slotVersion: 1 }])
  })
}
