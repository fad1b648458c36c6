import { openLog, type Saying, say } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { Acceptor, type Intent } from './acceptor.ts'
import { body } from './events.testing.ts'
import { idempotencyKey, operationIdOf } from './idempotency.ts'
import { type KeptKey, neverUsed } from './key-decision.ts'
import { type AcceptingStore, Ambiguous, type NewOperation } from './store/accepting.ts'

/** The accepting side of a database, in maps; a transaction that throws leaves nothing. */
const openStore = () => {
  const keys = new Map<string, KeptKey>()
  const operations = new Map<string, NewOperation>()
  const said: Saying[] = []
  const published: string[] = []
  const state = {
    transactions: 0,
    failures: [] as ('before' | 'lost before' | 'lost after')[],
    time: 5 as number | null,
    deleted: [] as string[],
  }
  const store: AcceptingStore = {
    accept: async (act) => {
      state.transactions += 1
      const failure = state.failures.shift()
      if (failure === 'before') throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
      const writes: (() => void)[] = []
      const result = await act({
        time: async () => (state.time === null ? null : instant(state.time)),
        lockKeys: async (asked) =>
          new Map(
            asked.map(({ scope, request }): [string, KeptKey] => {
              const name = scope.toString('hex')
              const known = keys.get(name)
              const first = { request: request.toString('hex'), attempt: 1, operationId: operationIdOf(scope, 1) }
              if (!known) writes.push(() => keys.set(name, { ...first, outcome: null }))
              return [name, known ?? neverUsed]
            }),
          ),
        purchaseFacts: async (questions) =>
          questions.map(() => ({ planVersion: 1, knownSubscriptionId: null, knownEnd: null })),
        deleted: async (users) => new Set(users.filter((user) => state.deleted.includes(user))),
        write: async (rows, kept, unused) => {
          writes.push(() => {
            for (const scope of unused) keys.delete(scope.toString('hex'))
            for (const row of rows) operations.set(row.id, row)
            for (const { scope, request, attempt, operationId } of kept)
              keys.set(scope.toString('hex'), { request: request.toString('hex'), attempt, operationId, outcome: null })
          })
        },
        append: async (sayings) => {
          writes.push(() => said.push(...sayings))
          return () => published.push(...sayings.map(({ cause }) => cause ?? ''))
        },
      })
      if (failure !== 'lost before') for (const write of writes) write()
      if (failure) throw new Ambiguous('lost')
      return result
    },
    existing: async (ids) => new Set(ids.filter((id) => operations.has(id))),
  }
  return { acceptor: new Acceptor(store, openLog('gateway', 'silent')), operations, keys, said, published, state }
}

const keyed = (key: string, path = '/v1/x') =>
  idempotencyKey(Buffer.alloc(32), { caller: 'ada', operation: 'purchase', key }, { path, body: {} })
const intent = (change: Partial<Intent> = {}): Intent => ({
  kind: 'enable_key',
  caller: 'ada',
  subject: 'ada',
  key: null,
  command: () => say('PostCredits', body('CreditsPosted') as never),
  ...change,
})

test('requests that arrive together are accepted together, each with its own operation', async () => {
  const { acceptor, operations, said, published, state } = openStore()
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => acceptor.accept(intent())))
  expect(state.transactions).toBeLessThanOrEqual(2)
  expect(new Set(verdicts.map((verdict) => 'operationId' in verdict && verdict.operationId)).size).toBe(50)
  expect([operations.size, said.length, published.length]).toEqual([50, 50, 50])
  expect(said.every(({ cause, correlationId }) => cause === correlationId && operations.has(cause ?? ''))).toBe(true)
})

test('IDE-1: equal keys in one batch attach to the first; another request under the key is refused', async () => {
  const { acceptor, said } = openStore()
  const verdicts = await Promise.all(
    [keyed('k'), keyed('k'), keyed('k', '/v1/y'), keyed('other')].map((key) => acceptor.accept(intent({ key }))),
  )
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['new', 'attached', 'reused', 'new'])
  expect(said).toHaveLength(2)
})

test('PER-1: who is deleted, or for whom it is asked, gets no operation and no key; a deletion of oneself is asked again', async () => {
  const { acceptor, operations, keys, state } = openStore()
  state.deleted = ['ada']
  const cases: [Partial<Intent>, string][] = [
    [{}, 'deleted'],
    [{ key: keyed('k') }, 'deleted'],
    [{ caller: 'admin', about: 'ada' }, 'deleted'],
    [{ caller: 'admin' }, 'new'],
    [{ kind: 'delete_account' }, 'new'],
    [{ kind: 'delete_account', caller: 'admin' }, 'new'],
    // A deleted admin deletes nobody else.
    [{ kind: 'delete_account', subject: 'bob' }, 'deleted'],
  ]
  const verdicts = await Promise.all(cases.map(([change]) => acceptor.accept(intent(change))))
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(cases.map(([, verdict]) => verdict))
  expect(operations.size).toBe(3)
  expect(keys.size).toBe(0)
})

test('ERR-1: 503 is said only when nothing was accepted', async () => {
  const { acceptor, state, operations } = openStore()
  state.failures = ['before']
  await expect(acceptor.accept(intent())).rejects.toMatchObject({ problem: { code: 'unavailable' } })
  expect(operations.size).toBe(0)
  state.time = null
  await expect(acceptor.accept(intent())).rejects.toMatchObject({ problem: { code: 'unavailable' } })
})

test('once accepted, never withdrawn: a commit whose answer was lost is looked for, and not done twice', async () => {
  const { acceptor, state, operations, said } = openStore()
  state.failures = ['lost after']
  expect(await acceptor.accept(intent())).toMatchObject({ verdict: 'new' })
  expect([operations.size, said.length]).toEqual([1, 1])
  state.failures = ['lost after']
  expect(await acceptor.accept(intent({ key: keyed('k') }))).toMatchObject({ verdict: 'attached' })
  expect([operations.size, said.length]).toEqual([2, 2])
})

test('a commit that never took place is done again', async () => {
  const { acceptor, state, operations } = openStore()
  state.failures = ['lost before']
  expect(await acceptor.accept(intent())).toMatchObject({ verdict: 'new' })
  expect(operations.size).toBe(1)
})
