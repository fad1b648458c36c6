import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'

/** A registry that is up. */
export interface RegistryAddress {
  readonly registryUrl: string
  /** Who vouches for it (PEM); absent: whom this machine trusts. */
  readonly registryCa?: string | undefined
}

export interface RegistryAnswer {
  readonly status: number
  readonly text: string
}

interface Question {
  readonly path: string
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly body?: object
  readonly withinMilliseconds?: number
}

/** One question to the registry. Not by `fetch`, which can be told of no authority. */
export const callRegistry = (
  { registryUrl, registryCa }: RegistryAddress,
  question: Question,
): Promise<RegistryAnswer> => {
  const { path, method = 'GET', body, withinMilliseconds = 20_000 } = question
  const url = new URL(`${registryUrl}${path}`)
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  const signal = AbortSignal.timeout(withinMilliseconds)
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:'
    const options = { method, headers, signal, ...(secure && registryCa ? { ca: registryCa } : {}) }
    const call = (secure ? requestSecure : requestPlain)(url, options, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      answer.on('error', reject)
    })
    call.on('error', reject)
    call.end(body ? JSON.stringify(body) : undefined)
  })
}
