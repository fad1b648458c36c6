import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, fresh, grant, type House, newKey, openHouse, openShop, USD } from './house.ts'
import { filesUnder, searchFor } from './search.ts'

let house: House
beforeAll(async () => {
  // Everything is said that can be said.
  house = await openHouse({ env: { LOG_LEVEL: 'trace' } })
})
afterAll(() => house?.close())

test('INV-2, SLT-2: marked keys, uploaded, sold and revealed, lie nowhere: logs, Kafka, databases, answers, process list', async () => {
  const mark = `canary${newKey().replaceAll('-', '')}`
  const answers: string[] = []
  const { planId, providerId } = await openShop(house, { keys: 0 })
  const entries = Array.from({ length: 5 }, (_, n) => ({ key: `sk-${mark}-${n}`, upstreamPlanId: `up-${n}` }))
  const note = <T extends { body: unknown }>(answer: T): T => {
    answers.push(JSON.stringify(answer.body))
    return answer
  }
  const upload = (body: unknown) => house.admin(`POST /admin/plans/${planId}/keys`, { key: newKey(), body })
  expect(note(await upload({ entries })).body.accepted).toBe(5)
  note(await upload({ entries, allOrNothing: true }))
  note(await upload({ entries: [{ key: `sk-${mark}-${'x'.repeat(600)}` }] }))
  note(await upload(`{"entries":[{"key":"sk-${mark}-broken"`))
  note(await upload({ entries: [{ key: `sk-${mark}-field`, unknown: true }] }))
  const user = fresh('canary')
  await grant(house, user, 100 * USD)
  const client = await house.as(user)
  note(await buy(client, planId))
  const revealed = await client(`POST /slots/${providerId}/reveal`)
  expect(revealed.body.key).toContain(mark)
  const own = await openShop(house, { keys: 0 })
  note(await client(`PUT /slots/${own.providerId}`, { body: { key: `sk-own-${mark}` } }))
  note(await client(`PUT /slots/${own.providerId}`, { body: { key: `sk-own-${mark}`, more: 1 } }))
  note(await client(`PUT /slots/${providerId}`, { body: { key: `sk-own-${mark}` } }))
  for (const read of ['GET /slots', 'GET /subscriptions', 'GET /credits/entries', 'GET /plans'])
    note(await client(read))
  for (const read of [`GET /admin/inventory/keys?planId=${planId}`, 'GET /admin/audit', 'GET /openapi.json'])
    note(await house.admin(read))
  expect(execFileSync('ps', ['axww', '-o', 'args']).includes(mark)).toBe(false)
  expect(answers.filter((answer) => answer.includes(mark))).toEqual([])

  await house.stack.stop()
  const files = filesUnder(house.dataDir)
  expect(files.some((file) => file.includes('kafka'))).toBe(true)
  expect(files.some((file) => file.includes('postgres'))).toBe(true)
  expect(files.some((file) => file.includes('logs'))).toBe(true)
  expect(searchFor(mark, files).found).toEqual([])
  // The scan finds what is there.
  const placesOf = (text: string) =>
    new Set(
      files
        .filter((file) => readFileSync(file).includes(text))
        .map((file) => file.slice(house.dataDir.length + 1).split('/')[0]),
    )
  expect(placesOf(planId)).toEqual(new Set(['kafka', 'postgres']))
  expect(placesOf('Lanes claimed')).toEqual(new Set(['logs']))
})
