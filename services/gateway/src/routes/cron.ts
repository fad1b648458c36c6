import { say } from '@coding-plans/runtime'
import { Type } from 'typebox'
import { perform, waitSeconds } from '../command.ts'
import { At, Operation, Shape } from '../shapes.ts'
import { THE_CLOCK } from './admin-system.ts'
import { answers, type Routes } from './route.ts'

const Count = Type.Integer({ minimum: 0 })
const Tick = Shape({
  asOf: At,
  renewed: Count,
  ended: Count,
  pastDue: Count,
  recovered: Count,
  topUps: Count,
  duplicates: Count,
  errors: Count,
})

export const cronRoutes: Routes = (api, desk) => {
  api.post(
    '/cron/billing',
    {
      config: { roles: [], machine: 'cron' },
      schema: {
        security: [{ machine: [] }],
        summary:
          'A billing tick: what was due, and what came of it during the call (Authorization: Bearer CRON_SECRET)',
        response: answers({ 200: Tick, 202: Operation }),
      },
    },
    (request, reply) =>
      perform(
        { desk, request, reply },
        {
          kind: 'billing_tick',
          caller: request.caller.id,
          subject: THE_CLOCK,
          key: null,
          command: ({ id: operationId }) =>
            say('RunBillingTick', {
              clock: THE_CLOCK,
              operationId,
              waitMilliseconds: waitSeconds(request.headers.prefer) * 1000,
            }),
        },
        // The scheduler tells what it has counted when the wait ends; it is waited for a little longer.
        { patience: 5 },
      ),
  )
}
