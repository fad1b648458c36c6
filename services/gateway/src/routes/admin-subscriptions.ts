import { say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import { Type } from 'typebox'
import { perform } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { showCharge, showSubscription } from '../presentation.ts'
import { notFound, problem } from '../problem.ts'
import { Charge, OneOf, Operation, page, Shape, Subscription } from '../shapes.ts'
import type { SubscriptionFilter } from '../store/reading.ts'
import {
  answers,
  billing,
  byId,
  byUser,
  PageQuery,
  pageQuery,
  type Routes,
  support,
  supportAndBilling,
} from './route.ts'
import { Status } from './subscriptions.ts'

const Reason = Type.String({ minLength: 1, maxLength: 300 })
const unknownSubscription = () => problem('not_found', 'There is no such subscription.')

export const adminSubscriptionRoutes: Routes = (api, desk) => {
  const { reading } = desk

  const list = async (filter: SubscriptionFilter, query: { limit?: number; cursor?: string }) => {
    const asked = pageAsked(query, 2)
    const rows = await reading.subscriptions(filter, asked)
    return pageOf(rows, asked, ({ createdAt, sequence }) => [createdAt, sequence], showSubscription)
  }

  const any = async (id: string) => {
    const row = await reading.subscription(id)
    if (!row) throw notFound('subscription')
    return row
  }

  api.get(
    '/admin/subscriptions',
    {
      config: support,
      schema: {
        summary: 'Search by literal text and status, newest first',
        querystring: Shape({
          ...pageQuery,
          q: Type.Optional(Type.String({ maxLength: 200 })),
          status: Type.Optional(Status),
        }),
        response: answers({ 200: page(Subscription) }),
      },
    },
    ({ query }) =>
      list({ ...(query.q ? { q: query.q } : {}), ...(query.status ? { status: query.status } : {}) }, query),
  )

  api.get(
    '/admin/subscriptions/:id',
    {
      config: supportAndBilling,
      schema: { summary: 'One subscription', params: byId, response: answers({ 200: Subscription }) },
    },
    async ({ params }) => showSubscription(await any(params.id)),
  )

  api.get(
    '/admin/subscriptions/:id/charges',
    {
      config: supportAndBilling,
      schema: {
        summary: 'What was charged for it, newest first',
        params: byId,
        querystring: PageQuery,
        response: answers({ 200: page(Charge) }),
      },
    },
    async ({ params, query }) => {
      const asked = pageAsked(query, 2)
      await any(params.id)
      const rows = await reading.charges(params.id, asked)
      return pageOf(rows, asked, ({ at, sequence }) => [at, sequence], showCharge)
    },
  )

  api.get(
    '/admin/users/:userId/subscriptions',
    {
      config: supportAndBilling,
      schema: {
        summary: 'A user’s subscriptions, newest first',
        params: byUser,
        querystring: Shape({ ...pageQuery, status: Type.Optional(Status) }),
        response: answers({ 200: page(Subscription) }),
      },
    },
    ({ params, query }) => list({ userId: params.userId, ...(query.status ? { status: query.status } : {}) }, query),
  )

  api.post(
    '/admin/subscriptions/:id/cancel',
    {
      config: billing,
      schema: {
        summary: 'Cancel a user’s subscription at the end of its period',
        params: byId,
        body: Shape({ reason: Reason }),
        response: answers({ 200: Subscription, 202: Operation }),
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request
      const row = await reading.subscription(params.id)
      return perform(
        { desk, request, reply },
        {
          kind: 'cancel',
          caller: caller.id,
          subject: row?.userId ?? params.id,
          key: null,
          command: ({ id: operationId }) =>
            row
              ? say('CancelSubscription', {
                  userId: userId(row.userId),
                  operationId,
                  subscriptionId: row.id,
                  at: 'period_end',
                  by: 'operator',
                  actor: caller.id,
                  reason: body.reason,
                })
              : { refused: unknownSubscription() },
        },
      )
    },
  )

  api.post(
    '/admin/subscriptions/:id/terminate',
    {
      config: billing,
      schema: {
        summary: 'End a user’s subscription now, with as much given back as said',
        params: byId,
        body: Shape({
          reason: Reason,
          refund: OneOf('none', 'prorated', 'full'),
          cause: Type.Optional(OneOf('admin_terminated', 'dispute')),
        }),
        response: answers({ 200: Subscription, 202: Operation }),
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request
      const { reason, refund, cause = 'admin_terminated' } = body
      const row = await reading.subscription(params.id)
      return perform(
        { desk, request, reply },
        {
          kind: 'terminate',
          caller: caller.id,
          subject: row?.userId ?? params.id,
          key: null,
          command: ({ id: operationId }) =>
            row
              ? say('TerminateSubscription', {
                  userId: userId(row.userId),
                  operationId,
                  subscriptionId: row.id,
                  refund,
                  cause,
                  actor: caller.id,
                  reason,
                })
              : { refused: unknownSubscription() },
        },
      )
    },
  )
}
