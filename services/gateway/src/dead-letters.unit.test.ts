import { expect, test } from 'vitest'
import type { Intent } from './acceptor.ts'
import { openBench, operation } from './desk.testing.ts'
import { event, T0 } from './events.testing.ts'
import { showDeadLetter } from './presentation.ts'
import { operation as begun, learn, open } from './projections.testing.ts'
import { refusalOf } from './refusals.ts'
import type { DeadLetterRow } from './rows.ts'

const admin = { sub: 'admin-1', roles: ['admin'] }
const said = (intent: Intent | undefined, id = 'op_1') => intent?.command({ id, time: T0 as never, facts: null })
const letterOf = (...events: Parameters<typeof learn>[1][]) =>
  learn(open(), ...events).letters.get('letter-1') as DeadLetterRow
const kept = () => letterOf(event('DeadLetterKept'))

test('OPS-1: a dead letter is listed as its service tells of it; a late copy takes nothing back', () => {
  const models = learn(open(), event('DeadLetterKept'))
  expect(models.letters.get('letter-1')).toMatchObject({ state: 'kept', redrives: 0, recordOffset: 17 })
  learn(models, event('DeadLetterRedriven'), event('DeadLetterKept'))
  expect(models.letters.get('letter-1')).toMatchObject({ state: 'redriven', redrives: 1, version: 3 })
  learn(models, event('DeadLetterKept', { version: 5, redrives: 2, offset: 99 }))
  expect(models.letters.get('letter-1')).toMatchObject({ state: 'kept', redrives: 2, recordOffset: 99 })
})

test('a redrive is answered when its copy took effect, or died again', () => {
  const models = open(begun('op_redrive', 'redrive_dead_letter'), begun('op_again', 'redrive_dead_letter'))
  learn(models, event('DeadLetterKept'), event('DeadLetterRedriven'))
  expect(models.operations.get('op_redrive')).toMatchObject({ outcome: 'succeeded', answer: { state: 'redriven' } })
  learn(models, event('DeadLetterKept', { operationId: 'op_again', version: 5, redrives: 2 }))
  expect(models.operations.get('op_again')).toMatchObject({
    outcome: 'succeeded',
    answer: { state: 'kept', redrives: 2 },
  })
})

test('what its service has forgotten is not redrivable any more', () => {
  const models = learn(
    open(begun('op_redrive', 'redrive_dead_letter')),
    event('DeadLetterKept'),
    event('DeadLetterRefused', { reason: 'not_found' }),
  )
  expect(models.letters.get('letter-1')).toMatchObject({ redrivesLeft: 0 })
  expect(models.operations.get('op_redrive')).toMatchObject({ outcome: 'refused', answer: { status: 404 } })
})

test('a purchase that was answered shows nothing of the letter that it left', () => {
  const models = learn(open(begun('op_buy', 'purchase')), event('DeadLetterKept', {}, { correlationId: 'op_buy' }))
  expect(models.operations.get('op_buy')?.steps).toEqual([])
})

test('one is redriven, or rehearsed, by the service that keeps it; an unknown one by nobody', async () => {
  const { ask, intents } = await openBench({ reading: { deadLetter: async () => kept() as never } })
  await ask({ method: 'POST', url: '/v1/admin/dead-letters/letter-1/redrive' }, admin)
  await ask({ method: 'POST', url: '/v1/admin/dead-letters/letter-1/rehearse' }, admin)
  const body = {
    subject: 'ada',
    service: 'credits-ledger',
    deadLetterId: 'letter-1',
    operationId: 'op_1',
    actor: 'admin-1',
  }
  expect(intents.map((intent) => said(intent))).toEqual([
    { name: 'RedriveDeadLetter', body },
    { name: 'RehearseDeadLetter', body },
  ])
  const unknown = await openBench()
  await unknown.ask({ method: 'POST', url: '/v1/admin/dead-letters/letter-2/redrive' }, admin)
  expect(said(unknown.intents[0])).toMatchObject({ refused: { status: 404, code: 'not_found' } })
})

test('a redrive answers with the letter as it is now, a rehearsal with what it would do', async () => {
  const answered = async (kind: 'redrive' | 'rehearse', answer: unknown) => {
    const found = operation({
      kind: `${kind}_dead_letter`,
      outcome: 'succeeded',
      visible: true,
      answer,
      finishedAt: T0,
    })
    const { ask } = await openBench({ found, reading: { deadLetter: async () => kept() as never } })
    return ask({ method: 'POST', url: `/v1/admin/dead-letters/letter-1/${kind}` }, admin)
  }
  const redriven = await answered('redrive', showDeadLetter(letterOf(event('DeadLetterRedriven'))))
  expect([redriven.statusCode, redriven.headers['operation-id']]).toEqual([200, 'op_1'])
  expect(redriven.json()).toMatchObject({ id: 'letter-1', state: 'redriven', at: '2026-01-01T00:00:00.000Z' })
  const models = learn(open(begun('op_rehearse', 'rehearse_dead_letter')), event('DeadLetterRehearsed'))
  const rehearsed = await answered('rehearse', models.operations.get('op_rehearse')?.answer)
  expect(rehearsed.json()).toEqual({
    succeeds: true,
    reason: null,
    says: [{ name: 'CreditsHeld', body: '{"userId":"ada"}' }],
    calls: [],
    changes: [{ table: 'accounts', verb: 'update', rows: 1 }],
  })
})

test('all are redriven one after the other, until too many die again; one at its limit is 409', async () => {
  const letters = Array.from({ length: 9 }, (_, n) => ({ ...kept(), id: `letter-${n}`, sequence: n }))
  const bench = (state: string) =>
    openBench({
      reading: { redrivable: async () => letters, countRedrivable: async () => 4 },
      found: operation({ outcome: 'succeeded', visible: true, answer: { state }, finishedAt: T0 }),
    })
  const mended = await bench('redriven')
  const all = { method: 'POST', url: '/v1/admin/dead-letters/redrive' } as const
  expect((await mended.ask(all, admin)).statusCode).toBe(400)
  const answer = await mended.ask({ ...all, payload: {} }, admin)
  expect(answer.json()).toEqual({ redriven: 9, refused: 0, left: 4 })
  expect(mended.intents.map(({ subject }) => subject)).toEqual(letters.map(({ id }) => id))
  const unmended = await bench('kept')
  expect((await unmended.ask({ ...all, payload: { service: 'subscription' } }, admin)).json()).toMatchObject({
    redriven: 0,
    refused: 5,
  })
  expect(refusalOf('DeadLetterRefused', 'redrive_limit')).toMatchObject({ status: 409, code: 'redrive_limit' })
})

test('what somebody asked for, and was told had failed, is theirs to ask for again: it is not redriven after all', async () => {
  const asked = (service: string) => letterOf(event('DeadLetterKept', { messageName: 'PostCredits', service }))
  expect(asked('credits-ledger')).toMatchObject({ state: 'kept', redrivesLeft: 0 })
  const redriven = async (letter: DeadLetterRow) => {
    const { ask, intents } = await openBench({ reading: { deadLetter: async () => letter as never } })
    await ask({ method: 'POST', url: '/v1/admin/dead-letters/letter-1/redrive' }, admin)
    return said(intents[0])
  }
  expect(await redriven(asked('credits-ledger'))).toMatchObject({ refused: { status: 409, code: 'answered_already' } })
  // Who only looks on does nothing twice.
  expect(asked('auditor')).toMatchObject({ redrivesLeft: 3 })
  expect(await redriven(asked('auditor'))).toMatchObject({ name: 'RedriveDeadLetter' })
})

test('PER-1: who is deleted redrives nothing, not even all at once', async () => {
  const { ask } = await openBench({
    verdict: () => ({ verdict: 'deleted' }),
    reading: { redrivable: async () => [kept()] as never, countRedrivable: async () => 1 },
  })
  const answer = await ask({ method: 'POST', url: '/v1/admin/dead-letters/redrive', payload: {} }, admin)
  expect([answer.statusCode, answer.json().code]).toEqual([403, 'account_deleted'])
})
