import type { Saying } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import {
  BOUNDARY,
  captureHold,
  holdCredits,
  postCredits,
  refundCredits,
  releaseHold,
  setAutoTopUp,
  settleTopUp,
  topUpCredits,
} from './bodies.testing.ts'
import { Book } from './book.testing.ts'
import type { Account } from './domain/account.ts'
import type { AutoTopUp, Hold, TopUp } from './domain/decision.ts'
import type { Transfer } from './domain/transfer.ts'
import { type Asked, type Kept, roundOn } from './rounds.testing.ts'

export interface Looked extends Kept {
  rows(table: 'accounts' | 'transfers' | 'holds' | 'declines' | 'auto_top_ups' | 'top_ups'): Promise<object[]>
}

const by =
  <Row extends object>(property: keyof Row) =>
  (a: Row, b: Row) =>
    a[property] < b[property] ? -1 : 1
const term = { subscriptionId: 'sub_1', boundary: BOUNDARY }
const renewal = { ...term, purpose: 'renewal', operationId: null } as const

// Everything that is kept, and each thing once more, as if the seen ids were gone.
const STORY: readonly (readonly Asked[])[] = [
  [
    ['HoldCredits', holdCredits('ada', 'hold_0', 10)],
    ['PostCredits', postCredits('ada', 'op_1', 50)],
    ['HoldCredits', holdCredits('ada', 'hold_1', 30, renewal)],
    ['ReleaseHold', releaseHold('eve', 'hold_9')],
  ],
  [
    ['CaptureHold', captureHold('ada', 'hold_1', renewal)],
    ['HoldCredits', holdCredits('ada', 'hold_2', 30)],
    ['HoldCredits', holdCredits('ada', 'hold_3', 20)],
    ['PostCredits', postCredits('bob', 'op_2', 7, { creditKind: 'payment', reason: 'say "it"\n💶' })],
    ['SetAutoTopUp', setAutoTopUp('bob', 'pm', 9, { operationId: 'op_set', enabled: true })],
  ],
  [
    ['PostCredits', postCredits('ada', 'op_3', -25, { creditKind: 'adjustment' })],
    ['ReleaseHold', releaseHold('ada', 'hold_3')],
    ['HoldCredits', holdCredits('bob', 'hold_4', 7)],
    ['CaptureHold', captureHold('bob', 'hold_4')],
    ['TopUpCredits', topUpCredits('bob', 'tup_1', 5)],
    ['RefundCredits', refundCredits('ada', 'ref_1', 3)],
  ],
  [
    ['SettleTopUp', settleTopUp('bob', 'tup_1', 'paid')],
    ['TopUpCredits', topUpCredits('bob', 'tup_2', 5)],
    ['SettleTopUp', settleTopUp('bob', 'tup_2', 'declined')],
    ['TopUpCredits', topUpCredits('bob', 'tup_3', 5)],
  ],
  [
    ['HoldCredits', holdCredits('ada', 'hold_0', 10)],
    ['PostCredits', postCredits('ada', 'op_1', 50)],
    ['HoldCredits', holdCredits('ada', 'hold_1', 30, renewal)],
    ['CaptureHold', captureHold('ada', 'hold_1', renewal)],
    ['ReleaseHold', releaseHold('ada', 'hold_3')],
    ['HoldCredits', holdCredits('bob', 'hold_4', 7)],
    ['TopUpCredits', topUpCredits('bob', 'tup_1', 5)],
    ['RefundCredits', refundCredits('ada', 'ref_1', 3)],
  ],
  [['CloseAccount', { userId: userId('bob'), operationId: 'op_close' }]],
]

/** What every store of the ledger does, told as tests. Each is given a new one. */
export const keepsTheContract = (open: () => Looked) => {
  const namesOf = (said: readonly Saying[]) => said.map(({ name }) => name)

  test('what a round decided is what the next one finds', async () => {
    const kept = open()
    const round = roundOn(kept)
    const book = new Book()
    let time = 1_001
    for (const asked of STORY) {
      const expected = asked.flatMap(([name, body], place) => book.ask(name, body as never, { time: time + place }))
      const said = await round(time, asked)
      expect(said.filter((one) => 'name' in one)).toEqual(expected)
      time += asked.length
      book.newRound()
    }
    const rows = async <Row>(table: Parameters<Looked['rows']>[0]) => (await kept.rows(table)) as Row[]
    const transfers = (await rows<Transfer>('transfers')).toSorted(by('sequence'))
    const alike = ({ cause: _, hash: __, ...transfer }: Transfer) => transfer
    for (const user of ['ada', 'bob']) {
      const theirs = transfers.filter(({ userId }) => userId === user)
      expect(theirs.map(alike)).toEqual(book.transfers(user).map(alike))
      const account = (await rows<Account>('accounts')).find(({ userId }) => userId === user)
      expect(account).toEqual({ ...book.account(user), hash: theirs.at(-1)?.hash })
    }
    expect((await rows<Hold>('holds')).toSorted(by('holdId'))).toEqual([...book.ledger.holds.values()])
    expect(await rows<AutoTopUp>('auto_top_ups')).toEqual([...book.ledger.settings.values()])
    // Of who is deleted, no trace of how they paid is kept (GDP-1).
    const topUps = [...book.ledger.topUps.values()].map((topUp) => ({ ...topUp, paymentMethodId: null }))
    expect((await rows<TopUp>('top_ups')).toSorted(by('topUpId'))).toEqual(topUps)
  })

  test('LED-3: in one round each is judged on what the one before it left', async () => {
    const kept = open()
    const round = roundOn(kept)
    await round(1_001, [['PostCredits', postCredits('ada', 'op_1', 25)]])
    const said = await round(1_002, [
      ['HoldCredits', holdCredits('ada', 'hold_1', 20)],
      ['HoldCredits', holdCredits('ada', 'hold_2', 10)],
      ['ReleaseHold', releaseHold('ada', 'hold_1')],
      ['HoldCredits', holdCredits('ada', 'hold_3', 25)],
      ['CaptureHold', captureHold('ada', 'hold_3')],
    ])
    expect(namesOf(said)).toEqual(['CreditsHeld', 'HoldDeclined', 'HoldReleased', 'CreditsHeld', 'HoldCaptured'])
    const states = ((await kept.rows('holds')) as Hold[]).map(({ holdId, state }) => `${holdId} ${state}`)
    expect(states.sort()).toEqual(['hold_1 released', 'hold_3 captured'])
  })

  test('who never had a credit gets no account by being declined', async () => {
    const kept = open()
    await roundOn(kept)(1_001, [
      ['HoldCredits', holdCredits('ada', 'hold_1', 1)],
      ['ReleaseHold', releaseHold('bob', 'hold_2')],
    ])
    expect(await kept.rows('accounts')).toEqual([])
    expect(await kept.rows('holds')).toEqual([])
    expect(await kept.rows('declines')).toHaveLength(1)
  })

  test('of a round that fails nothing is kept', async () => {
    const kept = open()
    await roundOn(kept)(1_001, [['PostCredits', postCredits('ada', 'op_1', 25)]])
    const before = await kept.rows('accounts')
    const failing: Kept = {
      store: { ...kept.store, save: (tx, ledger) => kept.store.save(tx, ledger).then(() => Promise.reject('dies')) },
      transaction: kept.transaction,
    }
    const hold: Asked = ['HoldCredits', holdCredits('ada', 'hold_1', 20)]
    await expect(roundOn(failing)(1_002, [hold])).rejects.toBe('dies')
    expect(await kept.rows('accounts')).toEqual(before)
    expect(await kept.rows('holds')).toEqual([])
    expect(namesOf(await roundOn(kept)(1_002, [hold]))).toEqual(['CreditsHeld'])
  })
}
