import { type Saying, say } from '@coding-plans/runtime'
import { userId } from '@coding-plans/schemas'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { perform, performSealed, type Sender } from '../command.ts'
import type { OperationKind } from '../operation-kinds.ts'
import { showSlot } from '../presentation.ts'
import { accountDeleted, invalid, type Problem, problem, Refused } from '../problem.ts'
import { slotBinding } from '../sealing.ts'
import { Nullable, Operation, page, Shape, Slot } from '../shapes.ts'
import { answers, anyUser, byProvider, type Routes } from './route.ts'

const SLT_2 = 'Using this key outside the product shows the vendor your network address.'
const LONGEST_KEY = 500
// What is trimmed away counts for the body, not for the key.
const LONGEST_KEY_WITH_SPACE = 2_000

export const slotRoutes: Routes = (api, desk) => {
  const { reading, inventory, now } = desk

  /** The refusal for a provider that no plan has ever named. */
  const unknownProvider = async (providerId: string): Promise<Problem | null> =>
    (await reading.providerKnown(providerId)) ? null : problem('not_found', 'There is no such provider.')

  /** A change of the caller's own slot. */
  const change = async (
    { request, reply, providerId }: { request: Sender; reply: FastifyReply; providerId: string },
    kind: OperationKind,
    command: (operationId: string) => Saying,
  ) => {
    const refused = await unknownProvider(providerId)
    const { id: caller } = request.caller
    return perform(
      { desk, request, reply },
      { kind, caller, subject: caller, key: null, command: ({ id }) => (refused ? { refused } : command(id)) },
    )
  }

  api.get(
    '/slots',
    { config: anyUser, schema: { summary: 'Own slots that hold a key', response: answers({ 200: page(Slot) }) } },
    async ({ caller }) => ({ data: (await reading.slots(caller.id)).map(showSlot), nextCursor: null }),
  )

  api.put(
    '/slots/:providerId',
    {
      config: anyUser,
      schema: {
        summary: 'Put a key of one’s own into a slot',
        params: byProvider,
        body: Shape({ key: Type.String({ minLength: 1, maxLength: LONGEST_KEY_WITH_SPACE }) }),
        response: answers({ 200: Slot, 202: Operation }, 'SlotChangeRefused'),
      },
    },
    async (request, reply) => {
      const { providerId } = request.params
      const { id: caller } = request.caller
      const key = request.body.key.trim()
      if (key === '' || [...key].length > LONGEST_KEY)
        throw invalid(`The key must have 1 to ${LONGEST_KEY} characters.`)
      const refused = await unknownProvider(providerId)
      const intent = { kind: 'put_key', caller, subject: caller, key: null } as const
      if (refused) return perform({ desk, request, reply }, { ...intent, command: () => ({ refused }) })
      return performSealed(
        { desk, request, reply },
        {
          plaintext: key,
          binding: (operationId) => slotBinding(caller, providerId, operationId),
          intent: (sealed) => ({
            ...intent,
            command: ({ id }) =>
              say('PutOwnKey', { userId: userId(caller), operationId: id, providerId, ...requireSealed(sealed) }),
          }),
        },
      )
    },
  )

  api.patch(
    '/slots/:providerId',
    {
      config: anyUser,
      schema: {
        summary: 'Enable or disable one’s own key',
        params: byProvider,
        body: Shape({ enabled: Type.Boolean() }),
        response: answers({ 200: Slot, 202: Operation }, 'SlotChangeRefused'),
      },
    },
    (request, reply) => {
      const { providerId } = request.params
      const { enabled } = request.body
      return change({ request, reply, providerId }, 'enable_key', (operationId) =>
        say('EnableOwnKey', { userId: userId(request.caller.id), operationId, providerId, enabled }),
      )
    },
  )

  api.delete(
    '/slots/:providerId',
    {
      config: anyUser,
      schema: {
        summary: 'Take one’s own key out',
        params: byProvider,
        response: answers({ 202: Operation, 204: Type.Null() }, 'SlotChangeRefused'),
      },
    },
    (request, reply) => {
      const { providerId } = request.params
      return change({ request, reply, providerId }, 'delete_key', (operationId) =>
        say('DeleteOwnKey', { userId: userId(request.caller.id), operationId, providerId }),
      )
    },
  )

  api.post(
    '/slots/:providerId/reveal',
    {
      config: anyUser,
      schema: {
        summary: 'Read the key in a slot; audited',
        params: byProvider,
        response: answers(
          { 200: Shape({ key: Type.String(), note: Type.String() }) },
          'reveal_not_allowed',
          'rate_limited',
        ),
      },
    },
    async ({ caller, params }, reply) => {
      reply.header('cache-control', 'no-store')
      if (await reading.deleted(caller.id)) throw new Refused(accountDeleted())
      const slot = { userId: caller.id, providerId: params.providerId, at: await now() }
      return { key: await inventory.reveal(slot), note: SLT_2 }
    },
  )

  api.post(
    '/slots/:providerId/test',
    {
      config: { roles: [], limit: 'keyTests' },
      schema: {
        summary: 'Try the key in a slot at its provider',
        params: byProvider,
        response: answers({ 200: Shape({ ok: Nullable(Type.Boolean()) }), 202: Operation }, 'SlotChangeRefused'),
      },
    },
    (request, reply) => {
      const { providerId } = request.params
      return change({ request, reply, providerId }, 'test_key', (operationId) =>
        say('TestKey', { userId: userId(request.caller.id), operationId, providerId }),
      )
    },
  )
}

/** The acceptor asks for a sealed command before it asks for the command itself. */
export const requireSealed = <T>(sealed: T | null): T => {
  if (sealed === null) throw new Error('A command that must be sealed was sent unsealed.')
  return sealed
}
