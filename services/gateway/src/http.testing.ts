import { once } from 'node:events'
import { createServer } from 'node:http'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { tokenFor } from './desk.testing.ts'

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

export const REVEAL_SECRET = Buffer.alloc(32, 4).toString('base64')

/** The inventory's own endpoint for the sealing key, as a real server. */
export const openInventory = async () => {
  const { publicKey } = await suite.GenerateKeyPair(true)
  const key = Buffer.from(await suite.SerializePublicKey(publicKey)).toString('base64')
  const server = createServer(({ headers }, response) => {
    response.statusCode = headers.authorization === `Bearer ${REVEAL_SECRET}` ? 200 : 401
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keyId: 'sealing-1', publicKey: key }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

export const bearer = async (sub: string, roles: string[] = []) => ({
  authorization: `Bearer ${await tokenFor(sub, roles)}`,
})

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into bodies of many kinds
  readonly body: any
}

/** Ask a gateway as this user with these roles. */
export const ask = async (
  at: { readonly url: string },
  method: string,
  path: string,
  {
    sub = 'ada',
    roles,
    json,
    key,
    wait,
  }: { sub?: string; roles?: string[]; json?: object; key?: string; wait?: number } = {},
): Promise<Answer> => {
  const response = await fetch(`${at.url}/v1${path}`, {
    method,
    headers: {
      ...(await bearer(sub, roles)),
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...(key ? { 'idempotency-key': key } : {}),
      ...(wait === undefined ? {} : { prefer: `wait=${wait}` }),
    },
    ...(json ? { body: JSON.stringify(json) } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
}
