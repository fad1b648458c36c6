import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buy, type Client, fresh, grant, type House, newKey, openHouse, openShop, USD } from './house.ts'
import { filesUnder, searchFor, searchForAll } from './search.ts'

let house: House
beforeAll(async () => {
  // Everything is said that can be said.
  house = await openHouse({ env: { LOG_LEVEL: 'trace' } })
})
afterAll(() => house?.close())

/** Brings every secret of ours to the doors that it opens, and to those that it does not. @returns what was answered */
const useSecrets = async (client: Client, token: string) => {
  const { services, secrets } = house.stack
  const answers: string[] = []
  const bearing = (secret: string) => ({ headers: { authorization: `Bearer ${secret}`, prefer: 'wait=30' } })
  const ask = async (call: string, secret: string, status: number) => {
    const answer = await client(call, bearing(secret))
    expect([call, answer.status]).toEqual([call, status])
    answers.push(JSON.stringify(answer.body))
  }
  await ask('GET /credits', token, 200)
  await ask('GET /admin/audit', token, 403)
  await ask('GET /credits', `${token}x`, 401)
  await ask('POST /cron/billing', token, 401)
  await ask('POST /cron/billing', secrets.CRON_SECRET, 200)
  for (const secret of Object.values(secrets)) {
    await ask('GET /credits', secret, 401)
    for (const { url } of services)
      for (const path of ['open', 'sealing-key', 'reveal'])
        answers.push(await (await fetch(`${url}/internal/${path}`, bearing(secret))).text())
  }
  return answers
}

test('INV-2, SLT-2: marked keys, uploaded, sold and revealed, lie nowhere, nor does a secret of ours: logs, Kafka, databases, answers, process list', async () => {
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
  const token = await house.stack.token(user, ['support'])
  answers.push(...(await useSecrets(client, token)))
  const kept: Record<string, string> = JSON.parse(readFileSync(join(house.dataDir, 'secrets.json'), 'utf8'))
  expect(kept).toMatchObject(house.stack.secrets)
  const secrets = Object.values(kept)
  const processes = execFileSync('ps', ['axww', '-o', 'args']).toString()
  for (const said of [processes, ...answers])
    expect([mark, token, ...secrets].filter((secret) => said.includes(secret))).toEqual([])

  await house.stack.stop()
  const files = filesUnder(house.dataDir)
  expect(files.some((file) => file.includes('kafka'))).toBe(true)
  expect(files.some((file) => file.includes('postgres'))).toBe(true)
  expect(files.some((file) => file.includes('logs'))).toBe(true)
  expect(searchFor(mark, files).found).toEqual([])
  // As text and as bytes. Each lies in its own place, which shows that it would be found in another; the token lies in none.
  const sought = Object.entries(kept).map(([name, secret]) => [name, [secret, Buffer.from(secret, 'base64')]])
  const { found } = searchForAll({ ...Object.fromEntries(sought), token: [token.split('.')[2] ?? token] }, files)
  const inOwnFile = Object.keys(kept).map((name) => [name, [join(house.dataDir, 'secrets.json')]])
  expect(found).toEqual({ ...Object.fromEntries(inOwnFile), token: [] })
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
