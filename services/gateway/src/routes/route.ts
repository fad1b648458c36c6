import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import { Type } from 'typebox'
import { DEFAULT_LIMIT, MOST_ROWS } from '../cursor.ts'
import type { Desk } from '../desk.ts'
import { Shape } from '../shapes.ts'

export { answers, inKinds } from './description.ts'

/** A server whose routes take their types from their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
export type Routes = (api: Api, desk: Desk) => void

export const anyUser = { roles: [] } as const
export const billing = { roles: ['billing'] } as const
export const support = { roles: ['support'] } as const
export const inventory = { roles: ['inventory'] } as const
export const admin = { roles: ['admin'] } as const
export const supportAndBilling = { roles: ['support', 'billing'] } as const

export const Id = Type.String({ minLength: 1, maxLength: 200 })
export const byId = Shape({ id: Id })
export const byUser = Shape({ userId: Id })
export const byProvider = Shape({ providerId: Id })

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_ROWS, default: DEFAULT_LIMIT })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
}
export const PageQuery = Shape(pageQuery)

const Key = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'the first success under it is answered again for ever',
})
/** Headers are for the readers of the contract: `keyOf` checks this one, and knows the code of the refusal. */
export const idempotent = Type.Object({ 'idempotency-key': Key })
export const idempotentIfGiven = Type.Object({ 'idempotency-key': Type.Optional(Key) })
