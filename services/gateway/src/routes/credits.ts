import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { pageAsked, pageOf } from '../cursor.ts'
import { parseInstant } from '../instants.ts'
import { showCredits, showEntry } from '../presentation.ts'
import { invalid } from '../problem.ts'
import { At, Credits, Entry, page, Shape } from '../shapes.ts'
import { statementHeader, statementLine } from '../statement.ts'
import type { ReadingStore } from '../store/reading.ts'
import { answers, anyUser, PageQuery, type Routes } from './route.ts'

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
  if (at === undefined) return showCredits((await reading.credits(userId)) ?? { balance: 0, held: 0 })
  const instant = parseInstant(at)
  if (instant === null) throw invalid('`at` is no ISO 8601 instant.')
  return showCredits((await reading.creditsAt(userId, instant)) ?? { balance: 0, held: 0 })
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

export const CreditsQuery = Shape({ at: Type.Optional(At) })

export const creditRoutes: Routes = (api, { reading }) => {
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
        response: answers({ 200: page(Entry) }),
      },
    },
    async ({ caller, query, headers }, reply) => {
      if (!/\btext\/csv\b/i.test(headers.accept ?? '')) return readEntries(reading, caller.id, query)
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="statement.csv"')
        .send(Readable.from(statement(reading, caller.id)) as never)
    },
  )
}
