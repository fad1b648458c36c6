import { say } from '@coding-plans/runtime'
import { Type } from 'typebox'
import { keyOf, perform } from '../command.ts'
import { problem } from '../problem.ts'
import { OneOf, Operation, Shape } from '../shapes.ts'
import { answers, byId, idempotentIfGiven, inventory, type Routes } from './route.ts'

const Settled = Shape({ id: Type.String(), planId: Type.String(), state: Type.String() })

export const adminRevocationRoutes: Routes = (api, desk) => {
  api.post(
    '/admin/inventory/keys/:id/revocation',
    {
      config: inventory,
      schema: {
        summary: 'What became of revoking a key at its vendor (INV-9); an Idempotency-Key may be given',
        headers: idempotentIfGiven,
        params: byId,
        body: Shape({
          outcome: OneOf('done', 'failed', 'requeue'),
          reason: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })),
        }),
        response: answers({ 200: Settled, 202: Operation }, 'RevocationRefused'),
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request
      // Without a key it is an operation of its own: from the state that it leads to it does not follow twice.
      const given = request.headers['idempotency-key'] !== undefined
      const idempotency = given ? keyOf(desk, request, 'settle_revocation', body) : null
      const planId = await desk.reading.planOfKey(params.id)
      return perform(
        { desk, request, reply },
        {
          kind: 'settle_revocation',
          caller: caller.id,
          subject: planId ?? params.id,
          key: idempotency,
          command: ({ id: operationId }) =>
            planId === null
              ? { refused: problem('not_found', 'There is no such key.') }
              : say('SettleRevocation', {
                  planId,
                  operationId,
                  keyId: params.id,
                  outcome: body.outcome,
                  reason: body.reason ?? null,
                  actor: caller.id,
                }),
        },
      )
    },
  )
}
