import { say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import { Type } from 'typebox'
import { keyOf, perform } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { showCharge, showSubscription } from '../presentation.ts'
import { notFound } from '../problem.ts'
import { Charge, OneOf, Operation, Purchase, page, Shape, Subscription } from '../shapes.ts'
import { answers, anyUser, byId, Id, idempotent, PageQuery, pageQuery, type Routes } from './route.ts'

export const Status = OneOf('active', 'past_due', 'ended')

export const subscriptionRoutes: Routes = (api, desk) => {
  const { reading } = desk

  const own = async (caller: string, id: string) => {
    const row = await reading.subscription(id)
    if (row?.userId !== caller) throw notFound('subscription')
    return row
  }

  api.post(
    '/subscriptions',
    {
      config: { roles: [], limit: 'purchases' },
      schema: {
        summary: 'Buy one period of a plan (needs an Idempotency-Key)',
        headers: idempotent,
        body: Shape({ planId: Id }),
        response: answers({ 201: Purchase, 202: Operation }, 'PurchaseRefused'),
      },
    },
    (request, reply) => {
      const { caller, body, horizon } = request
      const { planId } = body
      const buyer = userId(caller.id)
      return perform(
        { desk, request, reply },
        {
          kind: 'purchase',
          caller: caller.id,
          subject: caller.id,
          key: keyOf(desk, request, 'purchase', body),
          purchase: { userId: buyer, planId, horizon },
          command: ({ id, facts }) =>
            say('PurchasePlan', {
              userId: buyer,
              operationId: id,
              planId,
              // A plan not heard of has no version: the owner of plans says so.
              planVersion: facts?.planVersion ?? 0,
              knownSubscriptionId: facts?.knownSubscriptionId ?? null,
              knownEnd: facts?.knownEnd ?? null,
            }),
        },
      )
    },
  )

  api.get(
    '/subscriptions',
    {
      config: anyUser,
      schema: {
        summary: 'Own subscriptions, newest first, ended ones included',
        querystring: Shape({ ...pageQuery, status: Type.Optional(Status) }),
        response: answers({ 200: page(Subscription) }),
      },
    },
    async ({ caller, query }) => {
      const asked = pageAsked(query, 2)
      const { status } = query
      const rows = await reading.subscriptions({ userId: caller.id, ...(status ? { status } : {}) }, asked)
      return pageOf(rows, asked, ({ createdAt, sequence }) => [createdAt, sequence], showSubscription)
    },
  )

  api.get(
    '/subscriptions/:id',
    {
      config: anyUser,
      schema: { summary: 'One own subscription', params: byId, response: answers({ 200: Subscription }) },
    },
    async ({ caller, params }) => showSubscription(await own(caller.id, params.id)),
  )

  api.get(
    '/subscriptions/:id/charges',
    {
      config: anyUser,
      schema: {
        summary: 'What was charged for it, newest first',
        params: byId,
        querystring: PageQuery,
        response: answers({ 200: page(Charge) }),
      },
    },
    async ({ caller, params, query }) => {
      const asked = pageAsked(query, 2)
      await own(caller.id, params.id)
      const rows = await reading.charges(params.id, asked)
      return pageOf(rows, asked, ({ at, sequence }) => [at, sequence], showCharge)
    },
  )

  api.post(
    '/subscriptions/:id/cancel',
    {
      config: anyUser,
      schema: {
        summary: 'Cancel at the end of the period, or now',
        params: byId,
        body: Type.Union([Shape({ when: Type.Optional(OneOf('period_end', 'now')) }), Type.Null()]),
        response: answers({ 200: Subscription, 202: Operation }, 'CancellationRefused'),
      },
    },
    (request, reply) => {
      const { caller, params, body } = request
      const { id: subscriptionId } = params
      return perform(
        { desk, request, reply },
        {
          kind: 'cancel',
          caller: caller.id,
          subject: caller.id,
          key: null,
          command: ({ id }) =>
            say('CancelSubscription', {
              userId: userId(caller.id),
              operationId: id,
              subscriptionId,
              at: body?.when ?? 'period_end',
              by: 'user',
              actor: caller.id,
              reason: null,
            }),
        },
      )
    },
  )

  api.post(
    '/subscriptions/:id/resume',
    {
      config: anyUser,
      schema: {
        summary: 'Undo the cancellation that stands',
        params: byId,
        body: Type.Union([Shape({}), Type.Null()]),
        response: answers({ 200: Subscription, 202: Operation }, 'SubscriptionChangeRefused'),
      },
    },
    (request, reply) => {
      const { caller, params } = request
      const { id: subscriptionId } = params
      return perform(
        { desk, request, reply },
        {
          kind: 'resume',
          caller: caller.id,
          subject: caller.id,
          key: null,
          command: ({ id }) =>
            say('ResumeSubscription', { userId: userId(caller.id), operationId: id, subscriptionId }),
        },
      )
    },
  )
}
