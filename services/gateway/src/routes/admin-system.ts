import { say } from '@coding-plans/runtime'
import { Type } from 'typebox'
import { perform } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import type { Desk } from '../desk.ts'
import { iso, parseInstant } from '../instants.ts'
import { showAudit } from '../presentation.ts'
import { showInvariants } from '../presentation-of-audits.ts'
import { invalid, unavailable } from '../problem.ts'
import { Advancing, At, Clock, Invariants, Nullable, page, Shape } from '../shapes.ts'
import { admin, answers, PageQuery, type Routes, support, supportAndBilling } from './route.ts'

/** The record key of what is said to and of the clock. */
export const THE_CLOCK = 'clock'

const Audit = Shape({
  id: Type.String(),
  at: At,
  actor: Type.String(),
  action: Type.String(),
  target: Type.String(),
  before: Nullable(Type.Unknown()),
  after: Nullable(Type.Unknown()),
  reason: Nullable(Type.String()),
})

const AdvanceBody = Shape({
  to: Type.Optional(At),
  by: Type.Optional(Type.String({ minLength: 2, maxLength: 100, examples: ['P1M', 'PT36H'] })),
  outage: Type.Optional(Type.Boolean({ description: 'jumps as if nothing had run meanwhile (REN-7)' })),
})

/** The clock as it was last heard. In system mode nothing is judged: `settled` is a word of the test clock. */
const readClock = async ({ mode, now, reading }: Desk) => {
  const at = await now()
  if (at === null) throw unavailable('The clock has not been heard yet.')
  return { mode, now: iso(at), settled: mode === 'test' && ((await reading.clock())?.settled ?? false) }
}

export const adminSystemRoutes: Routes = (api, desk) => {
  const { reading } = desk

  api.get(
    '/admin/audit',
    {
      config: admin,
      schema: {
        summary: 'What operators did, newest first (AUD-1)',
        querystring: PageQuery,
        response: answers({ 200: page(Audit) }),
      },
    },
    async ({ query }) => {
      const asked = pageAsked(query, 2)
      return pageOf(await reading.audit(asked), asked, ({ at, sequence }) => [at, sequence], showAudit)
    },
  )

  const since = Date.now()
  api.get(
    '/admin/invariants',
    {
      config: supportAndBilling,
      schema: {
        summary:
          'What holds and what does not, as the auditor found it at `checkedAt`; `ok` is false as well where that is longer than two minutes ago',
        response: answers({ 200: Invariants }),
      },
    },
    async () => {
      const found = await reading.invariants()
      if (!found) throw unavailable('Nothing has been checked yet.')
      return showInvariants(found, { now: Date.now(), since })
    },
  )

  api.get(
    '/admin/clock',
    { config: support, schema: { summary: 'The business clock', response: answers({ 200: Clock }) } },
    () => readClock(desk),
  )

  api.post(
    '/admin/clock/advance',
    {
      config: admin,
      schema: {
        summary: 'Move the test clock, and wait until all that it caused is done',
        body: AdvanceBody,
        response: answers({ 200: Clock, 202: Advancing }, 'ClockRefused'),
      },
    },
    async (request, reply) => {
      const { caller, body } = request
      const { to, by, outage = false } = body
      if ((to === undefined) === (by === undefined)) throw invalid('Say either `to` or `by`.')
      const target = to === undefined ? null : parseInstant(to)
      if (to !== undefined && target === null) throw invalid('`to` is no ISO 8601 instant.')
      return perform(
        { desk, request, reply },
        {
          kind: 'advance_clock',
          caller: caller.id,
          subject: THE_CLOCK,
          key: null,
          command: ({ id: operationId }) =>
            say('AdvanceClock', {
              clock: THE_CLOCK,
              operationId,
              to: target,
              by: by ?? null,
              actor: caller.id,
              outage,
            }),
        },
        { pending: () => readClock(desk) },
      )
    },
  )
}
