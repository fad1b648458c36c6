import { say } from '@coding-plans/runtime'
import { MOST_MICRODOLLARS, microdollars } from '@coding-plans/schemas'
import { type Static, Type } from 'typebox'
import { perform } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { iso } from '../instants.ts'
import { showOperatorPlan } from '../presentation.ts'
import { invalid, notFound } from '../problem.ts'
import type { PlanRow } from '../rows.ts'
import { At, CredentialPolicy, Microdollars, OneOf, Operation, OperatorPlan, Period, page, Shape } from '../shapes.ts'
import { answers, billing, byId, PageQuery, type Routes } from './route.ts'

const PLAN_ID = '^[a-z0-9][a-z0-9-]{0,62}$'
const PROVIDER_ID = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'
const MOST_PERIODS = { day: 3_650, month: 120 } as const
const INT32 = 2_147_483_647

const Name = Type.String({ minLength: 1, maxLength: 200 })
const Names = Type.Array(Name, { maxItems: 100 })
const Count = Type.Integer({ minimum: 0, maximum: INT32 })
const Ignored = Type.Optional(Type.Unknown({ description: 'read-only: ignored' }))

const PlanBody = Shape({
  name: Name,
  providerId: Type.String({ pattern: PROVIDER_ID }),
  priceMicrodollars: Type.Integer({ minimum: 0, maximum: MOST_MICRODOLLARS }),
  period: Shape({ unit: OneOf('day', 'month'), count: Type.Integer({ minimum: 1, maximum: MOST_PERIODS.day }) }),
  providerName: Type.Optional(Name),
  features: Type.Optional(Names),
  models: Type.Optional(Names),
  saleState: Type.Optional(OneOf('open', 'closed', 'hidden')),
  repurchase: Type.Optional(OneOf('extend', 'reject')),
  graceHours: Type.Optional(Type.Integer({ minimum: 0, maximum: 8_760 })),
  maxPrepaidPeriods: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  lowStockThreshold: Type.Optional(Count),
  position: Type.Optional(Type.Integer({ minimum: -INT32, maximum: INT32 })),
  credentialPolicy: Type.Optional(CredentialPolicy),
  id: Ignored,
  availability: Ignored,
  restockWish: Ignored,
  version: Ignored,
  publishedBy: Ignored,
  publishedAt: Ignored,
})
type PlanBody = Static<typeof PlanBody>

/** What no schema can say. @throws Refused 400 */
const requireSound = ({ period, credentialPolicy }: PlanBody) => {
  if (period.count > MOST_PERIODS[period.unit])
    throw invalid(`A period has at most ${MOST_PERIODS[period.unit]} ${period.unit}s.`)
  if (!credentialPolicy) return
  const { ownership, reveal, upstreamRevocation } = credentialPolicy
  if (ownership === 'user' && upstreamRevocation !== 'never')
    throw invalid('A key that belongs to the user is never revoked upstream.')
  if (reveal && ownership !== 'user') throw invalid('Only a key that belongs to the user can be revealed.')
}

const ownByDefault = { ownership: 'user', reveal: true, upstreamRevocation: 'never' } as const

/** The whole plan, with what is left out at its default. */
const specOf = (body: PlanBody) => ({
  providerId: body.providerId,
  providerName: body.providerName ?? body.providerId,
  name: body.name,
  features: body.features ?? [],
  models: body.models ?? [],
  price: microdollars(body.priceMicrodollars),
  periodUnit: body.period.unit,
  periodCount: body.period.count,
  ...(body.credentialPolicy ?? ownByDefault),
  repurchase: body.repurchase ?? ('extend' as const),
  graceHours: body.graceHours ?? 0,
  maxPrepaidPeriods: body.maxPrepaidPeriods ?? 12,
  lowStockThreshold: body.lowStockThreshold ?? 0,
  position: body.position ?? 0,
  saleState: body.saleState ?? ('open' as const),
})

const Version = Shape({
  version: Type.Integer(),
  publishedBy: Type.String(),
  publishedAt: At,
  name: Type.String(),
  providerId: Type.String(),
  priceMicrodollars: Microdollars,
  period: Period,
  saleState: Type.String(),
  repurchase: Type.String(),
  graceHours: Type.Integer(),
  maxPrepaidPeriods: Type.Integer(),
  credentialPolicy: CredentialPolicy,
})

const showVersion = (row: PlanRow) => ({
  version: row.version,
  publishedBy: row.publishedBy,
  publishedAt: iso(row.publishedAt),
  name: row.name,
  providerId: row.providerId,
  priceMicrodollars: row.price,
  period: { unit: row.periodUnit, count: row.periodCount },
  saleState: row.saleState,
  repurchase: row.repurchase,
  graceHours: row.graceHours,
  maxPrepaidPeriods: row.maxPrepaidPeriods,
  credentialPolicy: {
    ownership: row.ownership,
    reveal: row.reveal,
    upstreamRevocation: row.upstreamRevocation,
  },
})

const readers = { roles: ['billing', 'support', 'inventory'] } as const

export const adminPlanRoutes: Routes = (api, desk) => {
  const { reading, now } = desk

  api.put(
    '/admin/plans/:id',
    {
      config: billing,
      schema: {
        summary: 'Publish a plan as a whole, as a new version',
        params: Shape({ id: Type.String({ pattern: PLAN_ID }) }),
        body: PlanBody,
        response: answers({ 200: OperatorPlan, 202: Operation }, 'PlanRefused'),
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request
      requireSound(body)
      return perform(
        { desk, request, reply },
        {
          kind: 'publish_plan',
          caller: caller.id,
          subject: params.id,
          key: null,
          command: ({ id: operationId }) =>
            say('PublishPlan', { planId: params.id, operationId, actor: caller.id, ...specOf(body) }),
        },
      )
    },
  )

  api.get(
    '/admin/plans',
    {
      config: readers,
      schema: { summary: 'All plans, hidden ones too', response: answers({ 200: page(OperatorPlan) }) },
    },
    async () => {
      const [plans, at] = [await reading.plans({ hidden: true }), (await now()) ?? 0]
      return { data: plans.map((plan) => showOperatorPlan(plan, at)), nextCursor: null }
    },
  )

  api.get(
    '/admin/plans/:id/versions',
    {
      config: readers,
      schema: {
        summary: 'Every version of a plan, newest first',
        params: byId,
        querystring: PageQuery,
        response: answers({ 200: page(Version) }),
      },
    },
    async ({ params, query }) => {
      const asked = pageAsked(query, 1)
      if (!(await reading.plan(params.id))) throw notFound('plan')
      const rows = await reading.planVersions(params.id, asked)
      return pageOf(rows, asked, ({ version }) => [version], showVersion)
    },
  )
}
