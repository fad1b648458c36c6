import { pause } from '@coding-plans/runtime'
import { Type } from 'typebox'
import { type Caller, mayAct } from '../authentication.ts'
import { showOperation, showStep } from '../presentation.ts'
import { notFound, unavailable } from '../problem.ts'
import { stepsToShow } from '../projections/steps.ts'
import type { ShownOperation } from '../rows.ts'
import { OneOf, Operation, Shape } from '../shapes.ts'
import { answers, anyUser, byId, inKinds, type Routes } from './route.ts'

const LOOK_EVERY_MILLISECONDS = 50
const STREAM_FOR_AT_MOST_MILLISECONDS = 10 * 60_000
const COMMENT_EVERY_MILLISECONDS = 15_000
const MOST_STREAMS = 500

/** As a reader of the stream meets it: the data are JSON. */
const Frame = Shape({ event: OneOf('step', 'done'), data: Type.String() })
const frame = (event: string, body: unknown) => `event: ${event}\ndata: ${JSON.stringify(body)}\n\n`

/** The frames of an operation that were not sent yet. */
const newFrames = (operation: ShownOperation, sent: Set<string>) => {
  const fresh = stepsToShow(operation).filter(({ id }) => !sent.has(id))
  for (const { id } of fresh) sent.add(id)
  const steps = fresh.map((step) => frame('step', showStep(step)))
  return operation.visible ? [...steps, frame('done', showOperation(operation))] : steps
}

export const operationRoutes: Routes = (api, { reading, waiting }) => {
  let streams = 0

  /** What the caller asked for, and the caller's own deletion, whoever asked for it; for operators any. */
  const readable = async (caller: Caller, id: string) => {
    const operation = await reading.operation(id)
    if (!operation) throw notFound('operation')
    const theirs = operation.kind === 'delete_account' ? [operation.caller, operation.subject] : [operation.caller]
    if (!theirs.includes(caller.id) && !mayAct(caller, ['support', 'billing'])) throw notFound('operation')
    return operation
  }

  api.get(
    '/operations/:id',
    {
      config: anyUser,
      schema: { summary: 'How far an operation is', params: byId, response: answers({ 200: Operation }) },
    },
    async ({ caller, params }) => showOperation(await readable(caller, params.id)),
  )

  api.get(
    '/operations/:id/events',
    {
      config: anyUser,
      schema: {
        summary: 'Its steps as they happen (text/event-stream), then `done` with the operation',
        params: byId,
        response: answers({ 200: inKinds('Its steps, then `done`', { 'text/event-stream': Frame }) }),
      },
    },
    async ({ caller, params }, reply) => {
      let operation: ShownOperation | null = await readable(caller, params.id)
      if (streams >= MOST_STREAMS) throw unavailable('Too many streams are open.')
      reply.hijack()
      const { raw: response } = reply
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'close',
        'x-accel-buffering': 'no',
      })
      let gone = false
      response.once('close', () => {
        gone = true
      })
      const until = Date.now() + STREAM_FOR_AT_MOST_MILLISECONDS
      const sent = new Set<string>()
      let lastWrite = Date.now()
      streams += 1
      try {
        while (operation && Date.now() < until && !gone && !waiting.closed) {
          const frames = newFrames(operation, sent)
          if (Date.now() - lastWrite > COMMENT_EVERY_MILLISECONDS) frames.push(': still pending\n\n')
          if (frames.length > 0) {
            response.write(frames.join(''))
            lastWrite = Date.now()
          }
          if (operation.visible) break
          await pause(LOOK_EVERY_MILLISECONDS)
          operation = await reading.operation(params.id)
        }
      } catch {
        // The client asks again; what it has missed comes first then.
      } finally {
        streams -= 1
        response.end()
      }
    },
  )
}
