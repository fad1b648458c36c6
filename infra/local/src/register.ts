import { Agent } from 'node:https'
import { callRegistry, type RegistryAddress } from '@coding-plans/runtime'
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { Complaint, sentenceOf } from './complaint.ts'
import type { subjects as declared } from './topics.ts'

type Subject = (typeof declared)[number]

/** Old and new read each other, whichever two versions meet. */
const COMPATIBLE = COMPATIBILITY.FULL_TRANSITIVE
const AT_ONCE = 4
const NOT_FOUND = 404

// The package registers. It has no call that reads or sets a compatibility, and its look-up hides the status of an answer.
const ask = async <T>(at: RegistryAddress, method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => {
  const { status, text } = await callRegistry(at, { path, method, ...(body ? { body } : {}) })
  const found = status >= 200 && status < 300
  const said = parsed(text) as T & { message?: string }
  if (!found && status !== NOT_FOUND)
    throw new Complaint(`The registry answers ${status} to ${method} ${path}: ${said.message ?? 'no reason given'}`)
  return { found, said }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

interface Target {
  readonly at: RegistryAddress
  readonly registry: SchemaRegistry
  /** The subjects that have any version. */
  readonly present: ReadonlySet<string>
}

/** @returns whether it was new. */
const register = async ({ at, registry, present }: Target, { subject, schema }: Subject): Promise<boolean> => {
  const text = JSON.stringify(schema)
  const name = encodeURIComponent(subject)
  if (present.has(subject)) {
    // A start may have ended between registering and setting the compatibility.
    const { said } = await ask<{ compatibilityLevel?: string }>(at, 'GET', `/config/${name}`)
    if (said.compatibilityLevel !== COMPATIBLE) await ask(at, 'PUT', `/config/${name}`, { compatibility: COMPATIBLE })
    const { found } = await ask(at, 'POST', `/subjects/${name}`, { schema: text })
    if (found) return false
  }
  await registry
    .register({ type: SchemaType.AVRO, schema: text }, { subject, compatibility: COMPATIBLE })
    .catch((error: unknown) => {
      throw new Complaint(`The registry refused ${subject}: ${sentenceOf(error)}`)
    })
  return true
}

/**
 * Register every schema under its subject, with full compatibility. What is there is left as it is. A subject's first
 * registration is not safe against another one at the same time, so this is done in one place and each subject once.
 * @returns how many were new. @throws Complaint when a schema does not fit its older versions.
 */
export const registerSchemas = async (at: RegistryAddress, subjects: readonly Subject[]): Promise<number> => {
  const { said } = await ask<string[]>(at, 'GET', '/subjects')
  const { registryUrl: host, registryCa: ca } = at
  const registry = new SchemaRegistry({ host, ...(ca ? { agent: new Agent({ ca }) } : {}) })
  const target = { at, registry, present: new Set(said) }
  const waiting = [...subjects]
  let fresh = 0
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (await register(target, next)) fresh += 1
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return fresh
}
