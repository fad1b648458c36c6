import { expect, test } from 'vitest'
import { DAY, event, T0 } from '../events.testing.ts'
import { problem } from '../problem.ts'
import { type Kept, keyed, keyLine, knownAt, purchase } from './kept.testing.ts'

/** What every store of the gateway does, told as tests. Each is given an empty one. */
export const keepsTheContract = (opened: () => Kept) => {
  test('IDE-1: twenty equal requests at two instances are one operation and one command', async () => {
    const db = opened()
    const [one, two] = [db.instance(), db.instance()]
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, place) => (place % 2 === 0 ? one : two).accept(purchase('k'))),
    )
    expect(new Set(verdicts.map((verdict) => 'operationId' in verdict && verdict.operationId)).size).toBe(1)
    expect(verdicts.filter(({ verdict }) => verdict === 'new')).toHaveLength(1)
    expect(db.appended).toHaveLength(1)
  })

  test('IDE-1: another request under a running key is refused; a key is one caller’s own', async () => {
    const db = opened()
    const acceptor = db.instance()
    await acceptor.accept(purchase('k'))
    expect(await acceptor.accept(purchase('k', { key: keyed('k', '/v1/elsewhere') }))).toEqual({ verdict: 'reused' })
    const stranger = await acceptor.accept(
      purchase('k', { key: keyed('k', '/v1/subscriptions', 'bob'), caller: 'bob' }),
    )
    expect(stranger).toMatchObject({ verdict: 'new' })
  })

  test('IDE-2: a refusal frees the key once it can be read; a success is kept, with its first answer', async () => {
    const db = opened()
    const acceptor = db.instance()
    const first = await acceptor.accept(purchase('k'))
    const firstId = 'operationId' in first ? first.operationId : ''
    await db.learn(event('PurchaseRefused', { operationId: firstId, stockVersion: 9 }))
    expect(await acceptor.accept(purchase('k'))).toMatchObject({ verdict: 'attached', operationId: firstId })
    await db.learn(event('StockChanged'))
    const second = await acceptor.accept(purchase('k'))
    const secondId = 'operationId' in second ? second.operationId : ''
    expect(second).toMatchObject({ verdict: 'new' })
    expect(secondId).not.toBe(firstId)
    await db.learn(
      event('KeyAssigned'),
      event('CreditsHeld'),
      event('HoldCaptured'),
      event('SubscriptionActivated', { operationId: secondId }),
    )
    expect(await acceptor.accept(purchase('k'))).toMatchObject({ verdict: 'replayed', operationId: secondId })
    expect(await acceptor.accept(purchase('k', { key: keyed('k', '/v1/other') }))).toEqual({ verdict: 'reused' })
  })

  test('a refusal that needs no other service is an operation as well, and keeps no key', async () => {
    const db = opened()
    const refused = problem('not_found', 'There is no such plan.')
    const verdict = await db.instance().accept(purchase('k', { command: () => ({ refused }) }))
    expect(verdict).toMatchObject({ verdict: 'new', finished: true })
    expect(db.appended).toEqual([])
    expect(await db.shown('operationId' in verdict ? verdict.operationId : '')).toMatchObject({
      outcome: 'refused',
      visible: true,
      answer: refused,
    })
    expect(await db.instance().accept(purchase('k'))).toMatchObject({ verdict: 'new', finished: false })
  })

  test('INV-2: what must be sealed for its operation is not accepted before it is', async () => {
    const db = opened()
    const acceptor = db.instance()
    const asked = await acceptor.accept(purchase('k', { sealedFor: null }))
    expect(asked).toMatchObject({ verdict: 'seal' })
    const operationId = 'operationId' in asked ? asked.operationId : ''
    expect(await db.shown(operationId)).toBeNull()
    expect(await acceptor.accept(purchase('k', { sealedFor: operationId }))).toMatchObject({
      verdict: 'new',
      operationId,
    })
  })

  test('a command that cannot be written does not take its neighbours with it', async () => {
    const db = opened()
    const acceptor = db.instance((planId) => planId === 'poison')
    const intents = [purchase('k1'), purchase('k2', {}, 'poison'), purchase('k3')]
    const outcomes = await Promise.allSettled(intents.map((intent) => acceptor.accept(intent)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test('EXT-3: a purchase knows a subscription only once its purchase was answered before the headers came', async () => {
    const db = opened()
    await db.activate('op_buy')
    const nothing = { planVersion: 1, knownSubscriptionId: null, knownEnd: null }
    expect(await knownAt(db, 1_000)).toEqual(nothing)
    const { operations, horizon } = await db.answers(['op_buy'], [])
    expect(operations).toMatchObject([{ id: 'op_buy', visible: true }])
    expect(await knownAt(db, horizon - 1)).toEqual(nothing)
    expect(await knownAt(db, horizon)).toEqual({
      planVersion: 1,
      knownSubscriptionId: 'sub_1',
      knownEnd: T0 + 31 * DAY,
    })
  })

  test('EXT-3: an extension that is not answered yet makes its subscription unknown again', async () => {
    const db = opened()
    await db.activate('op_buy')
    const { horizon } = await db.answers(['op_buy'], [])
    await db.begin('op_extend')
    await db.learn(event('SubscriptionExtended'))
    expect(await knownAt(db, horizon)).toMatchObject({ knownSubscriptionId: null })
    const later = await db.answers(['op_extend'], ['op_extend'])
    expect(await knownAt(db, later.horizon)).toMatchObject({ knownSubscriptionId: 'sub_1', knownEnd: T0 + 59 * DAY })
  })

  test('SUB-1: an outcome is not shown before slot, account and stock are, in whatever order they come', async () => {
    const db = opened()
    await db.begin('op_buy')
    await db.learn(event('PlanPublished'), event('SubscriptionActivated'))
    for (const late of [event('StockChanged'), event('KeyAssigned'), event('CreditsHeld'), event('HoldCaptured')]) {
      expect(await db.shown('op_buy')).toMatchObject({ outcome: 'succeeded', visible: false })
      expect((await db.answers(['op_buy'], [])).operations).toEqual([])
      await db.learn(late)
    }
    expect(await db.shown('op_buy')).toMatchObject({ visible: true })
    const first = await db.answers(['op_buy'], [])
    expect(first.operations).toMatchObject([{ id: 'op_buy', outcome: 'succeeded' }])
    expect((await db.answers(['op_buy'], [])).horizon).toBe(first.horizon)
  })

  test.each(['rounds of their own', 'one round'])(
    'INV-6, INV-9: a stock version that comes late, in %s, brings its keys and takes nothing back',
    async (how) => {
      const db = opened()
      const told = [
        event('StockChanged', { version: 9, available: 2, keys: [keyLine('k2')] }),
        event('StockChanged', { version: 8, available: 1, keys: [keyLine('k1')] }),
        event('StockChanged', { version: 7, available: 0, keys: [keyLine('k2', 'quarantined')] }),
      ]
      await db.learn(event('PlanPublished'))
      if (how === 'one round') await db.learn(...told)
      else for (const one of told) await db.learn(one)
      expect(await db.stock()).toEqual({ available: 2, keys: { k1: 'available', k2: 'available' } })
      await db.learn(event('StockChanged', { version: 10, available: 1, keys: [keyLine('k1', 'assigned')] }))
      expect(await db.stock()).toEqual({ available: 1, keys: { k1: 'assigned', k2: 'available' } })
    },
  )

  test('GDP-1: of who is forgotten nothing is accepted any more, and what they asked last can be read', async () => {
    const db = opened()
    await db.activate('op_buy')
    await db.learn(event('AccountDeletionBegun'), event('AccountDeleted'))
    expect(await db.instance().accept(purchase('k'))).toEqual({ verdict: 'deleted' })
    expect((await db.answers(['op_buy'], [])).operations).toMatchObject([{ id: 'op_buy', visible: true }])
    expect(db.appended).toEqual([])
  })
}
