import { say } from '@coding-plans/runtime'
import { MOST_MICRODOLLARS, microdollars, userId } from '@coding-plans/schemas'
import { Type } from 'typebox'
import { keyOf, perform } from '../command.ts'
import { showSlot } from '../presentation.ts'
import { invalid } from '../problem.ts'
import { Credits, Microdollars, OneOf, Operation, page, Shape, Slot } from '../shapes.ts'
import { CreditsQuery, readCredits, readEntries, Statement, sendStatement, wantsCsv } from './credits.ts'
import { answers, billing, byUser, idempotent, PageQuery, type Routes, supportAndBilling } from './route.ts'

const CreditsBody = Shape({
  amountMicrodollars: Type.Integer({ minimum: -MOST_MICRODOLLARS, maximum: MOST_MICRODOLLARS }),
  kind: OneOf('grant', 'payment', 'adjustment'),
  reason: Type.String({ minLength: 1, maxLength: 300 }),
})

export const adminCreditsRoutes: Routes = (api, desk) => {
  const { reading } = desk

  api.post(
    '/admin/users/:userId/credits',
    {
      config: billing,
      schema: {
        summary: 'Post credits (needs an Idempotency-Key); only an adjustment may be negative',
        headers: idempotent,
        params: byUser,
        body: CreditsBody,
        response: answers(
          { 201: Shape({ entryId: Type.String(), balanceMicrodollars: Microdollars }), 202: Operation },
          'CreditsRefused',
        ),
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request
      const { amountMicrodollars, kind, reason } = body
      if (amountMicrodollars === 0) throw invalid('The amount is never 0.')
      if (amountMicrodollars < 0 && kind !== 'adjustment') throw invalid('Only an adjustment may be negative.')
      return perform(
        { desk, request, reply },
        {
          kind: 'post_credits',
          caller: caller.id,
          subject: params.userId,
          about: params.userId,
          key: keyOf(desk, request, 'post_credits', body),
          command: ({ id: operationId }) =>
            say('PostCredits', {
              userId: userId(params.userId),
              operationId,
              amount: microdollars(amountMicrodollars),
              creditKind: kind,
              reason,
              actor: caller.id,
            }),
        },
      )
    },
  )

  api.get(
    '/admin/users/:userId/credits',
    {
      config: supportAndBilling,
      schema: {
        summary: 'A user’s credits, as the user sees them',
        params: byUser,
        querystring: CreditsQuery,
        response: answers({ 200: Credits }),
      },
    },
    ({ params, query }) => readCredits(reading, params.userId, query.at),
  )

  api.get(
    '/admin/users/:userId/credits/entries',
    {
      config: supportAndBilling,
      schema: {
        summary: 'A user’s statement, newest first; with Accept: text/csv whole, as CSV',
        params: byUser,
        querystring: PageQuery,
        response: answers({ 200: Statement }),
      },
    },
    async ({ params, query, headers }, reply) =>
      wantsCsv(headers.accept)
        ? sendStatement(reply, reading, params.userId)
        : readEntries(reading, params.userId, query),
  )

  api.get(
    '/admin/users/:userId/slots',
    {
      config: supportAndBilling,
      schema: { summary: 'A user’s slots', params: byUser, response: answers({ 200: page(Slot) }) },
    },
    async ({ params }) => ({ data: (await reading.slots(params.userId)).map(showSlot), nextCursor: null }),
  )
}
