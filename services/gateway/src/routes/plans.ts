import { type Saying, say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { perform, type Sender } from '../command.ts'
import type { OperationKind } from '../operation-kinds.ts'
import { showPlan } from '../presentation.ts'
import { Operation, Plan, page } from '../shapes.ts'
import { answers, anyUser, byId, type Routes } from './route.ts'

export const planRoutes: Routes = (api, desk) => {
  const { reading, now } = desk

  api.get(
    '/plans',
    { config: anyUser, schema: { summary: 'All open and closed plans', response: answers({ 200: page(Plan) }) } },
    async ({ caller }) => {
      const [plans, wishes, at] = [
        await reading.plans({ hidden: false }),
        await reading.wishes(caller.id),
        (await now()) ?? 0,
      ]
      return { data: plans.map((plan) => showPlan(plan, at, wishes.has(plan.planId))), nextCursor: null }
    },
  )

  /** A change of the caller's own wish. */
  const change = (
    request: Sender,
    reply: FastifyReply,
    kind: OperationKind,
    command: (operationId: string) => Saying,
  ) => {
    const { id: caller } = request.caller
    const intent = { kind, caller, subject: caller, key: null } as const
    return perform({ desk, request, reply }, { ...intent, command: ({ id }) => command(id) })
  }

  api.put(
    '/plans/:id/restock-wish',
    {
      config: anyUser,
      schema: {
        summary: 'Be told when a plan that is sold out is back (RST-1)',
        params: byId,
        response: answers({ 200: Plan, 202: Operation }, 'RestockWishRefused'),
      },
    },
    (request, reply) =>
      change(request, reply, 'wish_restock', (operationId) =>
        say('WishRestock', { planId: request.params.id, userId: userId(request.caller.id), operationId }),
      ),
  )

  api.delete(
    '/plans/:id/restock-wish',
    {
      config: anyUser,
      schema: {
        summary: 'Not be told any more',
        params: byId,
        response: answers({ 202: Operation, 204: Type.Null() }, 'RestockWishRefused'),
      },
    },
    (request, reply) =>
      change(request, reply, 'withdraw_wish', (operationId) =>
        say('WithdrawRestockWish', { planId: request.params.id, userId: userId(request.caller.id), operationId }),
      ),
  )
}
