import { type Saying, say } from '@coding-plans/runtime'
import type { RedriveDeadLetter } from '@coding-plans/schemas'
import { Type } from 'typebox'
import type { Intent } from '../acceptor.ts'
import { carryOut, perform, waitSeconds } from '../command.ts'
import { pageAsked, pageOf } from '../cursor.ts'
import type { Desk } from '../desk.ts'
import { isAskedAnew } from '../operation-kinds.ts'
import { showDeadLetter } from '../presentation.ts'
import { problem } from '../problem.ts'
import { type DeadLetterRow, deadLetterStates } from '../rows.ts'
import { DeadLetter, OneOf, Operation, page, Rehearsal, Shape } from '../shapes.ts'
import { admin, answers, byId, Id, pageQuery, type Routes } from './route.ts'

/** What one call redrives at most: fewer than the dead letters in a minute that stop a consumer. */
const MOST_AT_ONCE = 15
/** So many that die again are of one cause, and it is not mended. */
const MOST_THAT_DIE_AGAIN = 5

type About = (body: RedriveDeadLetter) => Saying
const redriving: About = (body) => say('RedriveDeadLetter', body)
const rehearsing: About = (body) => say('RehearseDeadLetter', body)

/** Asked of the service that keeps the letter; each request is an operation of its own. */
const asking = (
  kind: Extract<Intent['kind'], `${string}_dead_letter`>,
  caller: string,
  id: string,
  letter: DeadLetterRow | null,
): Intent => ({
  kind,
  caller,
  subject: id,
  key: null,
  command: ({ id: operationId }) => {
    if (!letter) return { refused: problem('not_found', 'There is no such dead letter.') }
    const { subject, service } = letter
    if (kind === 'redrive_dead_letter' && isAskedAnew(letter))
      return {
        refused: problem('answered_already', 'Whoever asked for it was told that it failed, and may have asked again.'),
      }
    const about = kind === 'redrive_dead_letter' ? redriving : rehearsing
    return about({ subject, service, deadLetterId: id, operationId, actor: caller })
  },
})

/** One after the other, so that what rests on another comes behind it; the rest is left when the wait is over. */
const redriveAll = async (
  desk: Desk,
  caller: string,
  letters: readonly DeadLetterRow[],
  until: number,
): Promise<{ operations: string[]; redriven: number; refused: number }> => {
  const operations: string[] = []
  let [redriven, refused] = [0, 0]
  for (const letter of letters) {
    if (Date.now() >= until || refused >= MOST_THAT_DIE_AGAIN) break
    const intent = asking('redrive_dead_letter', caller, letter.id, letter)
    const { operationId, operation } = await carryOut(desk, intent, until - Date.now())
    operations.push(operationId)
    if (!operation?.visible) break
    const isDone = operation.outcome === 'succeeded' && (operation.answer as { state: string }).state === 'redriven'
    if (isDone) redriven += 1
    else refused += 1
  }
  return { operations, redriven, refused }
}

export const adminDeadLetterRoutes: Routes = (api, desk) => {
  const { reading } = desk

  api.get(
    '/admin/dead-letters',
    {
      config: admin,
      schema: {
        summary: 'Messages that could not be handled, of all services, newest first (OPS-1)',
        querystring: Shape({
          ...pageQuery,
          service: Type.Optional(Id),
          state: Type.Optional(OneOf(...deadLetterStates)),
        }),
        response: answers({ 200: page(DeadLetter) }),
      },
    },
    async ({ query }) => {
      const asked = pageAsked(query, 2)
      const { service, state } = query
      const rows = await reading.deadLetters({ ...(service ? { service } : {}), ...(state ? { state } : {}) }, asked)
      return pageOf(rows, asked, ({ diedAt, sequence }) => [diedAt, sequence], showDeadLetter)
    },
  )

  api.post(
    '/admin/dead-letters/redrive',
    {
      config: admin,
      schema: {
        summary: `Redrive what is kept, in the order of its first death, one after the other, ${MOST_AT_ONCE} at most; Operation-Id names them all`,
        // Said, not left out: `{}` is all of them.
        body: Shape({ service: Type.Optional(Id) }),
        response: answers({
          200: Shape({ redriven: Type.Integer(), refused: Type.Integer(), left: Type.Integer() }),
        }),
      },
    },
    async ({ caller, body, headers }, reply) => {
      const until = Date.now() + waitSeconds(headers.prefer) * 1000
      const letters = await reading.redrivable(body.service, MOST_AT_ONCE)
      const { operations, redriven, refused } = await redriveAll(desk, caller.id, letters, until)
      if (operations.length > 0) reply.header('operation-id', operations.join(', '))
      return { redriven, refused, left: await reading.countRedrivable(body.service) }
    },
  )

  api.post(
    '/admin/dead-letters/:id/redrive',
    {
      config: admin,
      schema: {
        summary: 'Send a dead letter again, as it was; answers when it took effect, or died again',
        params: byId,
        response: answers({ 200: DeadLetter, 202: Operation }),
      },
    },
    async (request, reply) => {
      const { caller, params } = request
      const letter = await reading.deadLetter(params.id)
      return perform({ desk, request, reply }, asking('redrive_dead_letter', caller.id, params.id, letter))
    },
  )

  api.post(
    '/admin/dead-letters/:id/rehearse',
    {
      config: admin,
      schema: {
        summary: 'What a dead letter would do if it were redriven now; nothing of it happens',
        params: byId,
        response: answers({ 200: Rehearsal, 202: Operation }),
      },
    },
    async (request, reply) => {
      const { caller, params } = request
      const letter = await reading.deadLetter(params.id)
      return perform({ desk, request, reply }, asking('rehearse_dead_letter', caller.id, params.id, letter))
    },
  )
}
