import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Intent, Verdict } from './acceptor.ts'
import type { Desk } from './desk.ts'
import { type IdempotencyKey, idempotencyKey, keyFrom } from './idempotency.ts'
import { iso } from './instants.ts'
import { type OperationKind, operationKinds } from './operation-kinds.ts'
import { type OperationBody, showOperation } from './presentation.ts'
import { accountDeleted, type Problem, problem, Refused, unavailable } from './problem.ts'
import { sendProblem } from './problem-reply.ts'
import type { ShownOperation } from './rows.ts'
import { type Sealed, seal } from './sealing.ts'

const DEFAULT_WAIT_SECONDS = 10
const LONGEST_WAIT_SECONDS = 30

/** `Prefer: wait=SECONDS` (RFC 7240); what cannot be read is ignored, more than the most is the most. */
export const waitSeconds = (prefer: string | string[] | undefined): number => {
  const text = Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '')
  const asked = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?=$|[,;\s])/i.exec(text)?.[1]
  return asked === undefined ? DEFAULT_WAIT_SECONDS : Math.min(Number(asked), LONGEST_WAIT_SECONDS)
}

/** The Idempotency-Key of a request marked (I). @throws Refused 400 */
export const keyOf = (desk: Desk, request: Sender, operation: OperationKind, body: unknown): IdempotencyKey => {
  const key = keyFrom(request.headers['idempotency-key'])
  const path = request.url.split('?', 1)[0] ?? ''
  return idempotencyKey(desk.secret, { caller: request.caller.id, operation, key }, { path, body })
}

/** What is read of a request here: never its body. */
export type Sender = Pick<FastifyRequest, 'caller' | 'headers' | 'url'>

/** A command whose secret part must be sealed for its own operation before it may be accepted. */
export interface SealedIntent {
  readonly plaintext: string
  readonly binding: (operationId: string) => string
  readonly intent: (sealed: Sealed | null) => Omit<Intent, 'sealedFor'>
}

export interface Asked {
  readonly desk: Desk
  readonly request: Sender
  readonly reply: FastifyReply
}

interface Answering {
  /** What a 202 says besides the operation. */
  readonly pending?: () => Promise<object>
  /** Seconds that are waited beyond what is preferred, for an outcome that comes with the end of the wait. */
  readonly patience?: number
}

/** Accept, wait for the outcome, answer with it; with 202 when the wait is over first. */
export const perform = async (asked: Asked, intent: Intent, answering: Answering = {}) => {
  requireAccepting(asked.desk)
  return answer(asked, intent.kind, await asked.desk.acceptor.accept(intent), answering)
}

/** As perform, for who asks for several things, one after the other, and answers for them together. */
export const carryOut = async (desk: Desk, intent: Intent, milliseconds: number) => {
  requireAccepting(desk)
  const verdict = await desk.acceptor.accept(intent)
  if (verdict.verdict === 'deleted') throw new Refused(accountDeleted())
  if (!('operationId' in verdict)) throw new Error(`${intent.kind} has no key, and nobody whom it is about.`)
  const operation = desk.waiting.wait(verdict.operationId, milliseconds)
  if ('finished' in verdict && verdict.finished) desk.waiting.look()
  return { operationId: verdict.operationId, operation: await operation }
}

/** As perform, for what is sealed. A key that the inventory does not know any more is fetched anew, once. */
export const performSealed = async (asked: Asked, sealed: SealedIntent) => {
  const { desk } = asked
  requireAccepting(desk)
  const { kind } = sealed.intent(null)
  const verdict = await acceptSealed(desk, sealed, false)
  if (verdict.verdict === 'new') {
    const outcome = await waitFor(asked, verdict)
    if (outcome && wantsFreshSeal(outcome)) return answer(asked, kind, await acceptSealed(desk, sealed, true), {})
    return answerWith(asked, kind, verdict, outcome, {})
  }
  return answer(asked, kind, verdict, {})
}

const requireAccepting = (desk: Desk) => {
  if (!desk.accepting()) throw unavailable()
}

const MOST_SEALS = 3

const acceptSealed = async (desk: Desk, { plaintext, binding, intent }: SealedIntent, fresh: boolean) => {
  let verdict = await desk.acceptor.accept({ ...intent(null), sealedFor: null })
  // Another attempt under the same key may come between: its operation, and so the seal, is another.
  for (let seals = 0; verdict.verdict === 'seal' && seals < MOST_SEALS; seals += 1) {
    const { operationId } = verdict
    const sealed = await seal(await desk.inventory.sealingKey(fresh), plaintext, binding(operationId))
    verdict = await desk.acceptor.accept({ ...intent(sealed), sealedFor: operationId })
  }
  if (verdict.verdict === 'seal') throw unavailable()
  return verdict
}

// The one refusal of an accepted operation with this status.
const wantsFreshSeal = ({ visible, outcome, answer }: ShownOperation) =>
  visible && outcome === 'refused' && (answer as Problem).code === 'unavailable'

type Accepted = Extract<Verdict, { finished: boolean }>

const answer = async (asked: Asked, kind: OperationKind, verdict: Verdict, answering: Answering) => {
  if (verdict.verdict === 'reused')
    throw new Refused(problem('idempotency_key_reused', 'This key was used for another request; take a new one.'))
  if (verdict.verdict === 'deleted') throw new Refused(accountDeleted())
  if (verdict.verdict === 'seal') throw new Error(`${kind} is accepted only when it is sealed.`)
  return answerWith(asked, kind, verdict, await waitFor(asked, verdict, answering), answering)
}

const waitFor = ({ desk, request }: Asked, { operationId, finished }: Accepted, { patience = 0 }: Answering = {}) => {
  const outcome = desk.waiting.wait(operationId, (waitSeconds(request.headers.prefer) + patience) * 1000)
  if (finished) desk.waiting.look()
  return outcome
}

const answerWith = async (
  { reply }: Asked,
  kind: OperationKind,
  { operationId, verdict }: Accepted,
  operation: ShownOperation | null,
  { pending }: Answering,
) => {
  reply.header('operation-id', operationId)
  if (verdict !== 'new') reply.header('idempotency-replayed', 'true')
  const { success } = operationKinds[kind]
  if (operation?.visible && operation.outcome !== 'succeeded') return sendProblem(reply, operation.answer as Problem)
  if (!operation?.visible || success === 202) {
    const body = operation ? showOperation(operation) : unheardOf(operationId, kind)
    return reply
      .code(202)
      .header('location', `/v1/operations/${operationId}`)
      .send({ ...body, ...(await pending?.()) })
  }
  return success === 204 ? reply.code(204).send() : reply.code(success).send(operation.answer)
}

/** The database did not answer in time; what was accepted is pending. */
const unheardOf = (id: string, kind: OperationKind): OperationBody => ({
  id,
  kind,
  status: 'pending',
  startedAt: iso(Date.now()),
  finishedAt: null,
  steps: [],
  result: null,
  problem: null,
})
