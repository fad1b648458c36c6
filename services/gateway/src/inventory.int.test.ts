import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { inventoryAt } from './inventory.ts'
import { Refused } from './problem.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close().closeAllConnections()
})

const listen = async (answer: RequestListener, port = 0) => {
  const server = createServer(answer)
  open.push(server)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port
  return { server, port: at, url: `http://127.0.0.1:${at}` }
}
const shows: RequestListener = (_, response) => response.end(JSON.stringify({ key: 'sk-1' }))
const stops: RequestListener = (_, response) => response.writeHead(503).end()
const slot = { userId: 'ada', providerId: 'acme', at: null }
const reveal = (...urls: string[]) => inventoryAt(urls, Buffer.alloc(32)).reveal(slot)

/** An address at which nobody listens. */
const nobody = async () => {
  const { server, url, port } = await listen(shows)
  await new Promise((resolve) => server.close(resolve))
  return { url, port }
}

test('VLT-1: an instance that is away or about to stop is passed over: the user is not told of a restart', async () => {
  const [away, stopping, there] = [await nobody(), await listen(stops), await listen(shows)]
  expect(await reveal(away.url, stopping.url, there.url)).toBe('sk-1')
})

test('the only instance may be away for a moment', async () => {
  const { url, port } = await nobody()
  const asked = reveal(url)
  await listen(shows, port)
  expect(await asked).toBe('sk-1')
})

test('OPS-2: when nobody answers in time, that is said', async () => {
  const refused = reveal((await nobody()).url, (await listen(stops)).url)
  await expect(refused).rejects.toBeInstanceOf(Refused)
})
