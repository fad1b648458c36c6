import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Answer,
  buy,
  type Client,
  fresh,
  grant,
  type House,
  openHouse,
  openShop,
  USD,
  uploadKeys,
} from './house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse({ instances: 2, env: { REVEALS_PER_MINUTE: '10000' } })
})
afterAll(() => house?.close())

const kept = () => JSON.parse(readFileSync(join(house.dataDir, 'secrets.json'), 'utf8')) as Record<string, string>

/** `npm run rotate-keys` for this house. */
const rotate = () => {
  const script = join(import.meta.dirname, '..', '..', 'local', 'src', 'rotate-keys.ts')
  const { PATH } = process.env
  const command = spawn(process.execPath, [script], { env: { PATH, DATA_DIR: house.dataDir }, cwd: house.dataDir })
  let said = ''
  for (const stream of [command.stdout, command.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    command.once('close', (code) => resolve({ code, said })),
  )
  return { command, ended, said: () => said }
}

interface Owner {
  readonly client: Client
  readonly providerId: string
  readonly key: string
}
const reveal = async ({ client, providerId }: Owner, note: (answer: Answer) => void) => {
  const answer = await client(`POST /slots/${providerId}/reveal`)
  note(answer)
  return answer.body.key
}

test('VLT-1: the vault’s key changes while keys are bought, uploaded and shown: nobody notices, cut off half-way or not', async () => {
  const shop = await openShop(house, { keys: 40 })
  const statuses: Record<number, number> = {}
  const note = ({ status }: Answer) => {
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  const owners: Owner[] = []
  const purchase = async () => {
    const user = fresh('owner')
    await grant(house, user, 20 * USD)
    const client = await house.as(user)
    const bought = await buy(client, shop.planId)
    note(bought)
    const owner = { client, providerId: shop.providerId, key: '' }
    owners.push({ ...owner, key: await reveal(owner, note) })
  }
  for (let n = 0; n < 5; n += 1) await purchase()
  const own = { client: await house.as(fresh('own')), providerId: shop.providerId, key: `sk-own-${Date.now()}` }
  note(await own.client(`PUT /slots/${own.providerId}`, { body: { key: own.key } }))
  owners.push(own)
  const before = kept()

  const first = rotate()
  let over = false
  const reading = (async () => {
    while (!over) for (const owner of [...owners]) expect(await reveal(owner, note)).toBe(owner.key)
  })()
  const buying = (async () => {
    for (let n = 0; !over && n < 20; n += 1) {
      await purchase()
      await uploadKeys(house, shop.planId, 1)
    }
  })()
  try {
    // Its first step is taken; the command is killed, and run again.
    while (!kept().VAULT_KEY_NEXT) await new Promise((resolve) => setTimeout(resolve, 20))
    first.command.kill('SIGKILL')
    await first.ended
    const { code, said } = await rotate().ended
    expect([code, said]).toEqual([0, expect.stringMatching(/^0 records lie under the old key\nthe old key is gone$/m)])
    for (const secret of Object.values({ ...before, ...kept() })) expect(said).not.toContain(secret)
  } finally {
    over = true
    await Promise.all([reading, buying])
  }
  const { VAULT_KEY, ...others } = kept()
  expect(VAULT_KEY).not.toBe(before.VAULT_KEY)
  expect({ ...others, VAULT_KEY: before.VAULT_KEY }).toEqual(before)
  expect(Object.keys(statuses).filter((status) => Number(status) >= 500)).toEqual([])

  await house.restart()
  for (const owner of owners) expect(await reveal(owner, note)).toBe(owner.key)
  // What was known is recognised: the fingerprints do not hang on the vault's key.
  const again = await house.admin(`POST /admin/plans/${shop.planId}/keys`, {
    key: fresh('again'),
    body: { entries: shop.secrets.map((key) => ({ key })) },
    headers: { prefer: 'wait=30' },
  })
  expect(again.body).toMatchObject({ accepted: 0, duplicates: shop.secrets.length })
})

test('VLT-1: inventories that die while their records are wrapped anew have not said that all are; nobody else joins in', async () => {
  const shop = await openShop(house, { keys: 300 })
  const user = fresh('owner')
  await grant(house, user, 20 * USD)
  const client = await house.as(user)
  expect((await buy(client, shop.planId)).status).toBe(201)
  const owner = { client, providerId: shop.providerId, key: '' }
  const key = await reveal(owner, () => {})
  const first = rotate()
  while (!kept().VAULT_KEY_PREVIOUS) await new Promise((resolve) => setTimeout(resolve, 20))
  for (const one of house.stack.services) if (one.service === 'key-inventory') one.kill('SIGKILL')
  expect(await rotate().ended).toMatchObject({ code: 1, said: expect.stringMatching(/being changed by process \d+/) })
  const { code, said } = await first.ended
  expect([code, said]).toEqual([0, expect.stringMatching(/^0 records lie under the old key\nthe old key is gone$/m)])
  expect(await reveal(owner, () => {})).toBe(key)
})
