import { type Saying, say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Intent } from '../acceptor.ts'
import { keyOf, perform, type Sender } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { showCharge, showSubscription } from '../presentation.ts'
import { notFound, problem } from '../problem.ts'
import type { ShownSubscription } from '../rows.ts'
import { Charge, OneOf, Operation, page, Shape, Subscription } from '../shapes.ts'
import type { SubscriptionFilter } from '../store/reading.ts'
import {
  answers,
  billing,
  byId,
  byUser,
  idempotent,
  PageQuery,
  pageQuery,
  type Routes,
  support,
  supportAndBilling,
} from './route.ts'
import { Status } from './subscriptions.ts'

const Reason = Type.String({ minLength: 1, maxLength: 300 })
const unknownSubscription = () => problem('not_found', 'There is no such subscription.')

/** As much as an operator may give at once (EXT-6). */
const MOST_DAYS = 90

type OneOfThem = Sender & { readonly params: { readonly id: string } }

const named = ({ id: subscriptionId, userId: user }: ShownSubscription, operationId: string) => ({
  userId: userId(user),
  operationId,
  subscriptionId,
})

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

  /** A change that an operator asks for; of a subscription that nobody has heard of it is refused here. */
  const change = async (
    { request, reply }: { request: OneOfThem; reply: FastifyReply },
    how: Pick<Intent, 'kind' | 'key'>,
    command: (row: ShownSubscription, operationId: string) => Saying,
  ) => {
    const { caller, params } = request
    const row = await reading.subscription(params.id)
    const whose = row ? { subject: row.userId, about: row.userId } : { subject: params.id }
    return perform(
      { desk, request, reply },
      {
        ...how,
        caller: caller.id,
        ...whose,
        command: ({ id }) => (row ? command(row, id) : { refused: unknownSubscription() }),
      },
    )
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
        response: answers({ 200: Subscription, 202: Operation }, 'CancellationRefused'),
      },
    },
    (request, reply) =>
      change({ request, reply }, { kind: 'cancel', key: null }, (row, operationId) =>
        say('CancelSubscription', {
          ...named(row, operationId),
          at: 'period_end',
          by: 'operator',
          actor: request.caller.id,
          reason: request.body.reason,
        }),
      ),
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
        response: answers({ 200: Subscription, 202: Operation }, 'SubscriptionChangeRefused'),
      },
    },
    (request, reply) => {
      const { reason, refund, cause = 'admin_terminated' } = request.body
      return change({ request, reply }, { kind: 'terminate', key: null }, (row, operationId) =>
        say('TerminateSubscription', {
          ...named(row, operationId),
          refund,
          cause,
          actor: request.caller.id,
          reason,
        }),
      )
    },
  )

  api.post(
    '/admin/subscriptions/:id/grant-days',
    {
      config: billing,
      schema: {
        summary: 'Give days for nothing (needs an Idempotency-Key)',
        headers: idempotent,
        params: byId,
        body: Shape({ days: Type.Integer({ minimum: 1, maximum: MOST_DAYS }), reason: Reason }),
        response: answers({ 200: Subscription, 202: Operation }, 'SubscriptionChangeRefused'),
      },
    },
    (request, reply) => {
      const { days, reason } = request.body
      const key = keyOf(desk, request, 'grant_days', request.body)
      return change({ request, reply }, { kind: 'grant_days', key }, (row, operationId) =>
        say('GrantDays', { ...named(row, operationId), days, actor: request.caller.id, reason }),
      )
    },
  )
}
