import { execute, openDatabase } from '@coding-plans/runtime'
import { Speaker } from '@coding-plans/runtime/testing'
import { microdollars, userId } from '@coding-plans/schemas'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as shape from './contract.ts'
import { expectRefusal, expectShape, watched } from './contract.ts'
import { buy, type Client, eventually, fresh, grant, type House, moneyOf, openHouse, openShop, USD } from './house.ts'

// What an operator does about a message that died, by HTTP alone. That it dies is arranged: in a database, or in a topic.

let house: House
let admin: Client
let speaker: Speaker
beforeAll(async () => {
  house = await openHouse()
  admin = watched(house.admin)
  speaker = await new Speaker('subscription', house.stack.servers).open()
})
afterAll(async () => {
  await speaker?.close()
  await house?.close()
})

interface DeadLetter {
  readonly id: string
  readonly subject: string
  readonly messageName: string
  readonly state: string
}

const lettersOf = async (subject: string, query = ''): Promise<DeadLetter[]> => {
  const { status, body } = await admin(`GET /admin/dead-letters?limit=100${query}`)
  expect(status).toBe(200)
  for (const letter of body.data) expectShape(shape.deadLetter, letter)
  return body.data.filter((letter: DeadLetter) => letter.subject === subject)
}
/** Several services may hear a message, and each keeps what it could not handle. */
const listed = async (subject: string, service: string) => {
  const [letter] = await eventually(
    () => lettersOf(subject, `&service=${service}`),
    (letters) => letters.length > 0,
  )
  return letter as DeadLetter
}
const patient = { headers: { prefer: 'wait=30' } }
const rehearse = async ({ id }: DeadLetter) => {
  const answer = await admin(`POST /admin/dead-letters/${id}/rehearse`, patient)
  expect(answer.status).toBe(200)
  expectShape(shape.rehearsal, answer.body)
  return answer.body
}
const redrive = ({ id }: DeadLetter) => admin(`POST /admin/dead-letters/${id}/redrive`, patient)

/** A deployment that went wrong: the inventory's database takes no plan's key into this user's slot, until it is mended. */
const refuseSlotOf = async (user: string) => {
  const url = house.stack.servers.databaseUrl('coding_plans_key_inventory')
  const knex = openDatabase(url, { idleInTransactionMilliseconds: 60_000 }, 1)
  await execute(
    knex,
    `alter table slots add constraint gone_wrong check (user_id <> '${user}' or managed_by <> 'plan')`,
  )
  return async () => {
    await execute(knex, 'alter table slots drop constraint gone_wrong')
    await knex.destroy()
  }
}

test('OPS-1: a purchase whose step died gave the money back; listed, rehearsed, mended, redriven, and gone', async () => {
  const { planId, providerId } = await openShop(house)
  const user = fresh('unlucky')
  const client = await house.as(user)
  await grant(house, user, 30 * USD)
  const mend = await refuseSlotOf(user)
  expect((await buy(client, planId)).status).toBeGreaterThanOrEqual(400)
  expect(await moneyOf(client)).toMatchObject({ balanceMicrodollars: 30 * USD, heldMicrodollars: 0 })

  const letter = await listed(user, 'key-inventory')
  expect(letter).toMatchObject({ service: 'key-inventory', messageName: 'AssignKey', state: 'kept', redrives: 0 })
  expect(await rehearse(letter)).toMatchObject({ succeeds: false, reason: expect.stringContaining('23514'), says: [] })
  await mend()
  const rehearsal = await rehearse(letter)
  expect(rehearsal).toMatchObject({ succeeds: true, reason: null })
  expect(rehearsal.says.length).toBeGreaterThan(0)
  expect((await client('GET /slots')).body.data).toEqual([])

  const redriven = await redrive(letter)
  expect(redriven).toMatchObject({ status: 200, body: { id: letter.id, state: 'redriven', redrives: 1 } })
  expect(await lettersOf(user, '&state=kept&service=key-inventory')).toEqual([])
  const audit = (await admin('GET /admin/audit')).body.data
  const actions = audit.flatMap((one: { target: string; action: string; actor: string }) =>
    one.target === letter.id ? [`${one.actor} ${one.action}`] : [],
  )
  expect(actions).toEqual([
    'admin-1 dead_letter.redrive',
    'admin-1 dead_letter.rehearse',
    'admin-1 dead_letter.rehearse',
  ])
  // The purchase was given up: what comes late is given back, and the user may buy as if nothing had been.
  await eventually(
    async () => (await client('GET /slots')).body.data,
    (slots) => slots.length === 0,
  )
  const again = await buy(client, planId)
  expect([again.status, again.body.subscription?.providerId]).toEqual([201, providerId])
  expect(await moneyOf(client)).toMatchObject({ balanceMicrodollars: 10 * USD, heldMicrodollars: 0 })
})

test('OPS-1: what cannot be mended dies again, three times at most; the rest is redriven without it', async () => {
  const user = fresh('garbled')
  const hold = speaker.record(
    'HoldCredits',
    {
      userId: userId(user),
      holdId: fresh('hold'),
      amount: microdollars(1),
      purpose: 'activation',
      operationId: null,
      subscriptionId: 's',
      boundary: null,
    },
    { cause: user },
  )
  await speaker.say([{ ...hold, value: hold.value.subarray(0, 9) }])
  const letter = await listed(user, 'credits-ledger')
  expect(letter).toMatchObject({ service: 'credits-ledger', topic: 'credits-ledger.commands' })
  for (const redrives of [1, 2])
    expect(await redrive(letter)).toMatchObject({ status: 200, body: { state: 'kept', redrives } })
  const all = await admin('POST /admin/dead-letters/redrive', { body: { service: 'credits-ledger' }, ...patient })
  expect(all).toMatchObject({ status: 200, body: { redriven: 0, refused: 1, left: 0 } })
  expectRefusal(await redrive(letter), 409, 'redrive_limit')
  const none = await house.admin('POST /admin/dead-letters/redrive', { body: { service: 'credits-ledger' } })
  expect([none.status, none.body]).toEqual([200, { redriven: 0, refused: 0, left: 0 }])
})

test('OPS-1: an unknown dead letter is 404; lists are pages, by service and state', async () => {
  for (const call of ['redrive', 'rehearse'])
    expectRefusal(await admin(`POST /admin/dead-letters/none/${call}`), 404, 'not_found')
  const { body } = await admin('GET /admin/dead-letters?limit=1')
  expect([body.data.length, typeof body.nextCursor]).toEqual([1, 'string'])
  const next = (await admin(`GET /admin/dead-letters?limit=1&cursor=${body.nextCursor}`)).body
  expect(next.data[0].id).not.toBe(body.data[0].id)
  expect((await admin('GET /admin/dead-letters?service=subscription')).body.data).toEqual([])
  expectRefusal(await admin('GET /admin/dead-letters?state=lost'), 400, 'invalid_request')
})
