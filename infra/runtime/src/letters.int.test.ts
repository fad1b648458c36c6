import { type Bed, openBed } from '@coding-plans/local/bed'
import type { Bodies, MessageName } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, type Running } from './index.ts'
import { forgetOldLetters, withMark } from './letters.ts'
import { holdBy } from './probe/hold.ts'
import { CALLS_OUT, migrations, probe, SEALED } from './probe/probe.ts'
import { execute, select } from './sql.ts'
import { eventually, type Heard, type Speaker } from './testing.ts'

let bed: Bed
let speaker: Speaker
let operator: Speaker

beforeAll(async () => {
  bed = await openBed()
  speaker = await bed.speaker('subscription')
  operator = await bed.speaker('gateway')
})
afterAll(() => bed?.close())

const hold = (user: string, holdId: string) => holdBy(speaker, user, holdId)

/** A service with its dead letters, and an operator who asks for things about them. */
const open = async (service: string, options: Parameters<typeof probe>[1] = {}) => {
  const start = () =>
    bed.start({ service, handler: probe(service, options), migrations, database: `letters_${service}` })
  const running = await start()
  const listener = await bed.listener([
    `${service}.events`,
    `credits-ledger.commands.${service}.dlq`,
    'credits-ledger.events',
  ])
  let asked = 0
  const ask = async (
    name: 'RedriveDeadLetter' | 'RehearseDeadLetter',
    letter: Pick<Bodies['DeadLetterKept'], 'subject' | 'deadLetterId'>,
  ) => {
    asked += 1
    const operationId = `op_${service}_${asked}`
    const { subject, deadLetterId } = letter
    const body = { subject, service, deadLetterId, operationId, actor: 'admin-1' }
    await operator.say([operator.record(name, body, { cause: operationId, correlationId: operationId })])
    const [answer] = await listener.until(
      ({ name, body }) => answers.includes(name) && body.operationId === operationId,
    )
    return answer as Heard
  }
  return {
    running,
    start,
    listener,
    redrive: (letter: Bodies['DeadLetterKept']) => ask('RedriveDeadLetter', letter),
    rehearse: (letter: Pick<Bodies['DeadLetterKept'], 'subject' | 'deadLetterId'>) => ask('RehearseDeadLetter', letter),
    kept: async (count = 1) => {
      const news = await listener.until(
        ({ name, body }) => name === 'DeadLetterKept' && (body.subject.startsWith(service) || body.messageName === ''),
        count,
      )
      return news.map(({ body }) => body as Bodies['DeadLetterKept'])
    },
  }
}
const answers: readonly (MessageName | null)[] = [
  'DeadLetterKept',
  'DeadLetterRedriven',
  'DeadLetterRefused',
  'DeadLetterRehearsed',
]

const taken = ({ knex }: Running) =>
  select<{ userId: string; holdId: string; number: number }>(
    knex,
    'select user_id, hold_id, number from taken order by place',
  )
interface Row {
  readonly id: string
  readonly state: string
  readonly redrives: number
  readonly subject: string
  readonly version: number
}
/** One topic serves all tests of a file; each has users of its own. */
const rows = ({ knex }: Running, user: string) =>
  select<Row>(
    knex,
    'select id, state, redrives, subject, version from dead_letters where subject like ? order by subject',
    [`${user}%`],
  )

test('a round that is about no dead letter asks for none', async () => {
  const { running } = await open('plain')
  const asked: string[] = []
  running.knex.on('query', ({ sql }: { sql: string }) => asked.push(sql))
  await speaker.say([hold('plain-1', 'one'), hold('plain-2', 'two')])
  await eventually(
    async () => (await taken(running)).filter(({ userId }) => userId.startsWith('plain')),
    (seen) => seen.length === 2,
  )
  const statements = asked.filter((sql) => !sql.includes('count(*)'))
  expect(statements.some((sql) => sql.includes('insert into outbox'))).toBe(true)
  expect(statements.filter((sql) => /dead_letters|savepoint|pg_stat/.test(sql))).toEqual([])
})

test('a dead letter is kept in the database that buried it, and its news names where it came from', async () => {
  const { running, kept, listener } = await open('keeps')
  await speaker.say([hold('keeps-1', 'impossible')])
  const [letter] = await kept()
  const [dead] = await listener.until(({ topic }) => topic.endsWith('.dlq'))
  expect(letter).toMatchObject({
    subject: 'keeps-1',
    service: 'keeps',
    version: 1,
    topic: 'credits-ledger.commands',
    partition: Number(dead?.headers.dead_partition),
    offset: Number(dead?.headers.dead_offset),
    messageId: dead?.headers.ce_id,
    messageName: 'HoldCredits',
    reason: 'This cannot be.',
    correlationId: 'saga impossible',
    redrives: 0,
    redrivesLeft: 3,
    operationId: null,
  })
  expect(await rows(running, 'keeps')).toMatchObject([{ id: letter?.deadLetterId, state: 'kept', subject: 'keeps-1' }])
})

test('redriven once its cause is mended, it takes effect, once; asked again, nothing more is sent', async () => {
  let mended = false
  const { running, kept, redrive, listener } = await open('mends', { mended: () => mended })
  await speaker.say([hold('mends-1', 'impossible'), hold('mends-1', 'after')])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  mended = true
  expect(await redrive(letter)).toMatchObject({ name: 'DeadLetterRedriven', body: { redrives: 1, version: 3 } })
  expect((await taken(running)).map(({ holdId }) => holdId)).toEqual(['after', 'impossible'])
  expect(await redrive(letter)).toMatchObject({ name: 'DeadLetterRedriven', body: { redrives: 1, version: 3 } })
  expect(await rows(running, 'mends')).toMatchObject([{ state: 'redriven', redrives: 1 }])
  const [copy] = await listener.until(
    ({ name, body }) => name === 'CreditsHeld' && body.holdId === 'impossible' && body.userId === 'mends-1',
  )
  expect(copy?.headers).toMatchObject({ ce_correlationid: 'saga impossible', ce_time: new Date(1_000).toISOString() })
  const audited = await listener.until(({ name }) => name === 'ActionAudited')
  expect(audited.map(({ body }) => body)).toMatchObject([
    { actor: 'admin-1', action: 'dead_letter.redrive', target: letter.deadLetterId, subject: 'mends-1' },
  ])
})

test('a second copy of a dead letter changes nothing, also when its cause is mended: its sender was told that it failed', async () => {
  let mended = false
  const { running, kept, redrive } = await open('copies', { mended: () => mended })
  const dead = ['impossible', SEALED].map((holdId) => hold('copies-1', holdId))
  const takenOnce = (...holdIds: string[]) =>
    eventually(
      async () => (await taken(running)).map(({ holdId }) => holdId),
      (seen) => seen.join() === holdIds.join(),
    )
  await speaker.say(dead)
  const letters = (await kept(2)) as [Bodies['DeadLetterKept'], Bodies['DeadLetterKept']]
  mended = true
  await speaker.say([...dead, hold('copies-1', 'after')])
  await takenOnce('after')
  expect(await rows(running, 'copies')).toMatchObject([
    { state: 'kept', version: 1 },
    { state: 'kept', version: 1 },
  ])
  for (const letter of letters) expect(await redrive(letter)).toMatchObject({ name: 'DeadLetterRedriven' })
  await speaker.say([...dead, hold('copies-1', 'last')])
  await takenOnce(
    'after',
    ...letters.map(({ reason }) => (reason === 'This cannot be.' ? 'impossible' : SEALED)),
    'last',
  )
})

test('what took effect does so no second time when a copy of it could not be read, and is redriven', async () => {
  let mended = true
  const { running, kept, redrive, rehearse } = await open('opens', { mended: () => mended })
  const sealed = hold('opens-1', SEALED)
  await speaker.say([sealed])
  await eventually(
    () => taken(running),
    (seen) => seen.length === 1,
  )
  mended = false
  await speaker.say([sealed])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  mended = true
  expect((await rehearse(letter)).body).toMatchObject({ succeeds: true, reason: /already/ })
  expect(await redrive(letter)).toMatchObject({ name: 'DeadLetterRedriven' })
  expect(await taken(running)).toHaveLength(1)
})

test('it dies again: the same letter, its redrives counted; the fourth is refused', async () => {
  const { running, kept, redrive } = await open('again')
  await speaker.say([hold('again-1', 'impossible')])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  for (const redrives of [1, 2, 3])
    expect(await redrive(letter)).toMatchObject({
      name: 'DeadLetterKept',
      body: { deadLetterId: letter.deadLetterId, redrives, redrivesLeft: 3 - redrives, version: 1 + 2 * redrives },
    })
  expect(await redrive(letter)).toMatchObject({ name: 'DeadLetterRefused', body: { reason: 'redrive_limit' } })
  expect(await rows(running, 'again')).toMatchObject([
    { id: letter.deadLetterId, state: 'kept', redrives: 3, version: 7 },
  ])
  expect(await redrive({ ...letter, deadLetterId: 'no id' })).toMatchObject({ body: { reason: 'not_found' } })
})

test('a copy that came twice, and dies, is dead: it is kept, and may be redriven again', async () => {
  const { running, kept, redrive } = await open('twice')
  const record = hold('twice-1', 'impossible')
  await speaker.say([record])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  // As after a send whose answer was lost: the copy is on its topic, twice.
  await execute(
    running.knex,
    `update dead_letters set state = 'redriving', redrives = 1, version = 2 where id = ?::uuid`,
    [letter.deadLetterId],
  )
  await execute(running.knex, 'delete from seen where dead')
  const mark = withMark('twice', { ...letter, ...record, id: letter.deadLetterId, redrives: 1 } as never)
  const copy = { ...record, topic: 'twice.redriven', headers: mark }
  await speaker.say([copy, copy])
  await eventually(
    () => rows(running, 'twice'),
    ([row]) => row?.version === 3,
  )
  await speaker.say([copy])
  await eventually(
    () => select(running.knex, `select from lanes where (positions ->> 'twice.redriven')::int = 3`),
    (lanes) => lanes.length === 1,
  )
  expect(await rows(running, 'twice')).toMatchObject([{ state: 'kept', redrives: 1, version: 3 }])
  expect(await redrive(letter)).toMatchObject({ name: 'DeadLetterKept', body: { redrives: 2 } })
})

test('a rehearsal tells what would be said and written, and nothing of it stays', async () => {
  let mended = false
  const { running, kept, rehearse, redrive, listener } = await open('stage', { mended: () => mended })
  await speaker.say([hold('stage-1', 'before'), hold('stage-1', 'impossible')])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  expect((await rehearse(letter)).body).toMatchObject({
    succeeds: false,
    reason: 'This cannot be.',
    says: [],
    changes: [],
  })
  mended = true
  const { body } = await rehearse(letter)
  expect(body).toMatchObject({
    succeeds: true,
    reason: null,
    calls: [],
    changes: [{ table: 'taken', verb: 'insert', rows: 1 }],
  })
  expect(body.says.map(({ name, body }: { name: string; body: string }) => [name, JSON.parse(body)])).toMatchObject([
    ['CreditsHeld', { userId: 'stage-1', holdId: 'impossible', version: 2 }],
  ])
  expect((await taken(running)).map(({ holdId }) => holdId)).toEqual(['before'])
  expect(await rows(running, 'stage')).toMatchObject([{ state: 'kept', redrives: 0, version: 1 }])
  expect(
    listener.heard.filter(
      ({ name, body }) => name === 'CreditsHeld' && body.holdId === 'impossible' && body.userId === 'stage-1',
    ),
  ).toEqual([])
  expect(await listener.until(({ body }) => body?.action === 'dead_letter.rehearse', 2)).toHaveLength(2)
  await redrive(letter)
  expect((await rehearse(letter)).body).toMatchObject({ succeeds: true, reason: /already/, says: [], changes: [] })
  expect((await rehearse({ ...letter, deadLetterId: letter.messageId as string })).body).toMatchObject({
    reason: 'not_found',
  })
})

test('a rehearsal of what the database refuses, of garbled bytes, and of a call to the outside, which is not made', async () => {
  let calls = 0
  const { kept, rehearse, running } = await open('props', {
    calls: {
      ask: async () => {
        calls += 1
        return []
      },
    },
  })
  const garbled = hold('props-2', 'garbled')
  await speaker.say([
    hold('props-1', 'impossible for the database'),
    { ...garbled, value: garbled.value.subarray(0, 8) },
  ])
  const letters = (await kept(2)).filter(({ subject }) => subject.startsWith('props'))
  const of = (subject: string) => letters.find((letter) => letter.subject === subject) as Bodies['DeadLetterKept']
  expect((await rehearse(of('props-1'))).body).toMatchObject({
    succeeds: false,
    reason: 'The database refuses it (23514).',
  })
  expect((await rehearse(of('props-2'))).body).toMatchObject({
    succeeds: false,
    reason: expect.stringContaining('do not fit'),
  })
  // As if a deployment had taught it to call out.
  const calling = hold('props-2', `${CALLS_OUT} now`)
  await execute(running.knex, 'update dead_letters set value = ? where subject = ?', [calling.value, 'props-2'])
  expect((await rehearse(of('props-2'))).body).toMatchObject({
    succeeds: true,
    calls: [{ name: 'ask', request: JSON.stringify({ userId: 'props-2', holdId: `${CALLS_OUT} now` }) }],
    changes: [{ table: 'effects', verb: 'insert', rows: 1 }],
  })
  expect(calls).toBe(0)
})

test('asked again after a restart, from the beginning of the topic, nothing happens twice', async () => {
  const { running, start, kept, redrive, listener } = await open('replays')
  await speaker.say([hold('replays-1', 'impossible')])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  await redrive(letter)
  await running.stop()
  const knex = openDatabase(bed.servers.databaseUrl('letters_replays'), { idleInTransactionMilliseconds: 60_000 }, 1)
  await execute(knex, `update lanes set positions = positions - 'any.commands'`)
  await knex.destroy()
  const again = await start()
  await speaker.say([hold('replays-1', 'later')])
  await eventually(
    () => taken(again),
    (seen) => seen.length === 1,
  )
  expect(await rows(again, 'replays')).toMatchObject([{ state: 'kept', redrives: 1 }])
  expect(listener.heard.filter(({ name }) => name === 'ActionAudited')).toHaveLength(1)
})

test('what is old is forgotten; what waits is counted', async () => {
  const { running } = await open('old')
  await speaker.say([hold('old-1', 'impossible'), hold('old-2', 'impossible')])
  await eventually(
    () => rows(running, 'old'),
    (seen) => seen.length === 2,
  )
  const waiting = (await rows(running, '')).length
  const metrics = async () => (await fetch(`${running.url}/metrics`)).text()
  await eventually(metrics, (text) => text.includes(`dead_letters_kept{service="old"} ${waiting}`))
  await execute(running.knex, `update dead_letters set forget_at = now() - interval '1 s' where subject = 'old-1'`)
  await forgetOldLetters(running.knex)
  expect(await rows(running, 'old')).toMatchObject([{ subject: 'old-2' }])
})

test('a record without a usable key or id is one letter all the same, and can be redriven', async () => {
  const { running, kept, redrive } = await open('nameless')
  const garbled = hold('nameless-1', 'x')
  await speaker.say([{ ...garbled, key: '', value: Buffer.from('nonsense'), headers: { ce_id: 'no id' } }])
  const [letter] = (await kept()) as [Bodies['DeadLetterKept']]
  expect(letter).toMatchObject({ subject: letter.deadLetterId, messageName: '', messageId: 'no id' })
  expect(await redrive(letter)).toMatchObject({
    name: 'DeadLetterKept',
    body: { deadLetterId: letter.deadLetterId, redrives: 1 },
  })
  expect(await rows(running, letter.deadLetterId)).toHaveLength(1)
})
