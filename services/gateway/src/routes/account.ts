import { say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import type { FastifyReply } from 'fastify'
import { perform, type Sender } from '../command.ts'
import { idempotencyKey } from '../idempotency.ts'
import { Operation } from '../shapes.ts'
import { admin, answers, anyUser, byUser, type Routes } from './route.ts'

const KIND = 'delete_account'

export const accountRoutes: Routes = (api, desk) => {
  /** Whoever asks, and however often: there is one deletion of a user, and its operation is the answer (GDP-1, PER-1). */
  const remove = (request: Sender, reply: FastifyReply, user: string) => {
    const once = { caller: user, operation: KIND, key: user }
    return perform(
      { desk, request, reply },
      {
        kind: KIND,
        caller: request.caller.id,
        subject: user,
        key: idempotencyKey(desk.secret, once, { path: KIND, body: null }),
        command: ({ id: operationId }) =>
          say('DeleteAccount', { userId: userId(user), operationId, actor: request.caller.id }),
      },
    )
  }

  api.delete(
    '/me',
    {
      config: anyUser,
      schema: { summary: 'Delete oneself: everything ends at once', response: answers({ 202: Operation }) },
    },
    (request, reply) => remove(request, reply, request.caller.id),
  )

  api.delete(
    '/admin/users/:userId',
    {
      config: admin,
      schema: { summary: 'Delete a user', params: byUser, response: answers({ 202: Operation }) },
    },
    (request, reply) => remove(request, reply, request.params.userId),
  )
}
