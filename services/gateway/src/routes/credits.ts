import { Readable } from 'node:stream'
import { say } from '@coding-plans/runtime'
import { MOST_MICRODOLLARS, microdollars, userId } from '@coding-plans/schemas'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { perform } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import { parseInstant } from '../instants.ts'
import { showCredits, showEntry } from '../presentation.ts'
import { invalid, notFound } from '../problem.ts'
import { At, Credits, Entry, Explanation, Operation, page, Shape } from '../shapes.ts'
import { statementHeader, statementLine } from '../statement.ts'
import type { ReadingStore } from '../store/reading.ts'
import { answers, anyUser, byId, inKinds, PageQuery, type Routes } from './route.ts'

const ROWS_AT_ONCE = 1_000

/** The whole statement, newest first, read page by page while it is sent. */
async function* statement(reading: ReadingStore, userId: string) {
  yield statementHeader
  let after: readonly number[] | null = null
  for (;;) {
    const rows = await reading.entries(userId, { limit: ROWS_AT_ONCE, after })
    const shown = rows.slice(0, ROWS_AT_ONCE)
    if (shown.length > 0) yield shown.map((row) => statementLine(showEntry(row))).join('')
    const last = shown.at(-1)
    if (rows.length <= ROWS_AT_ONCE || !last) return
    after = [last.version]
  }
}

/** A user's credits, now or at an instant (LED-6). @throws Refused 400 */
export const readCredits = async (reading: ReadingStore, userId: string, at: string | undefined) => {
  const instant = at === undefined ? undefined : parseInstant(at)
  if (instant === null) throw invalid('`at` is no ISO 8601 instant.')
  const account = instant === undefined ? reading.credits(userId) : reading.creditsAt(userId, instant)
  return showCredits(await account, await reading.autoTopUp(userId))
}

/** A page of a user's statement, newest first. */
export const readEntries = async (
  reading: ReadingStore,
  userId: string,
  query: { limit?: number; cursor?: string },
) => {
  const asked = pageAsked(query, 1)
  return pageOf(await reading.entries(userId, asked), asked, ({ version }) => [version], showEntry)
}

/** Whether CSV is asked for before, or instead of, JSON. */
export const wantsCsv = (accept = '') => {
  const kinds = accept
    .toLowerCase()
    .split(',')
    .map((kind) => kind.trim())
  return (
    kinds.some((kind) => /^text\/csv(;|$)/.test(kind) && !/;\s*q=0(\.0*)?$/.test(kind)) && !kinds[0]?.includes('json')
  )
}

export const sendStatement = (reply: FastifyReply, reading: ReadingStore, userId: string) =>
  reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', 'attachment; filename="statement.csv"')
    .send(Readable.from(statement(reading, userId)) as never)

/** A page of entries, or with `Accept: text/csv` all of them. */
export const Statement = inKinds('A page; with Accept: text/csv all of it', {
  'application/json': page(Entry),
  'text/csv': Type.String(),
})

export const CreditsQuery = Shape({ at: Type.Optional(At) })

const AutoTopUpBody = Shape({
  enabled: Type.Boolean(),
  amountMicrodollars: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_MICRODOLLARS })),
  paymentMethodId: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })),
})

export const creditRoutes: Routes = (api, desk) => {
  const { reading } = desk

  api.get(
    '/credits',
    {
      config: anyUser,
      schema: {
        summary: 'Own credits, now or at an instant',
        querystring: CreditsQuery,
        response: answers({ 200: Credits }),
      },
    },
    ({ caller, query }) => readCredits(reading, caller.id, query.at),
  )

  api.get(
    '/credits/entries',
    {
      config: anyUser,
      schema: {
        summary: 'Own statement, newest first; with Accept: text/csv whole, as CSV',
        querystring: PageQuery,
        response: answers({ 200: Statement }),
      },
    },
    async ({ caller, query, headers }, reply) => {
      if (wantsCsv(headers.accept)) return sendStatement(reply, reading, caller.id)
      return readEntries(reading, caller.id, query)
    },
  )

  api.get(
    '/credits/entries/:id/explanation',
    {
      // Each is asked of the auditor, by a message that stays.
      config: { roles: [], limit: 'explanations' },
      schema: {
        summary: 'Why this entry is on one’s statement: everything that was said between the request and it',
        params: byId,
        response: answers({ 200: Explanation, 202: Operation }, 'EntryUnexplained'),
      },
    },
    async (request, reply) => {
      const { caller, params } = request
      if (!(await reading.hasEntry(caller.id, params.id))) throw notFound('entry')
      return perform(
        { desk, request, reply },
        {
          kind: 'explain_entry',
          caller: caller.id,
          subject: caller.id,
          key: null,
          command: ({ id: operationId }) =>
            say('ExplainEntry', { userId: userId(caller.id), operationId, entryId: params.id }),
        },
      )
    },
  )

  api.put(
    '/credits/auto-top-up',
    {
      config: anyUser,
      schema: {
        summary: 'Pay what is missing for a due term by itself; what is left out stays as it was (TOP-1)',
        body: AutoTopUpBody,
        response: answers({ 200: Credits, 202: Operation }, 'AutoTopUpRefused'),
      },
    },
    (request, reply) => {
      const { caller, body } = request
      const { enabled, amountMicrodollars: amount, paymentMethodId = null } = body
      return perform(
        { desk, request, reply },
        {
          kind: 'set_auto_top_up',
          caller: caller.id,
          subject: caller.id,
          key: null,
          command: ({ id: operationId }) =>
            say('SetAutoTopUp', {
              userId: userId(caller.id),
              operationId,
              enabled,
              amount: amount === undefined ? null : microdollars(amount),
              paymentMethodId,
            }),
        },
      )
    },
  )
}
