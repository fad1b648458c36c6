import { createHash } from 'node:crypto'
import {
  type Intent,
  idempotencyKey,
  type OperationKind,
  type ShownOperation,
  type Verdict,
} from '@coding-plans/gateway/in-memory'
import { Operators } from './operators.ts'
import { PLANS } from './plans.ts'
import { type Request, Requests, SECRET, USERS } from './requests.ts'
import { Violation, type Watch } from './watch.ts'
import type { World } from './world.ts'

/** What is asked under an Idempotency-Key; all else is an operation of its own each time that it is asked. */
const KEYED: ReadonlySet<OperationKind> = new Set([
  ...(['purchase', 'upload_keys', 'post_credits', 'grant_days', 'settle_revocation'] as const),
])
/** The gateway's process dies after the commit, before it publishes. */
const DIES_ACCEPTING = 0.03
/** Its answer is lost on the way: whoever asked never hears of it, unless they ask again. */
const ANSWER_LOST = 0.05
/** The wait is over before there is an answer: "pending". */
const WAIT_OVER = 0.02

/** What somebody asked, and what they know of it. */
export interface Asked {
  readonly operationId: string
  readonly kind: OperationKind
  readonly caller: string
  readonly intent: Intent
}

export interface Answered extends Asked {
  readonly answer: ShownOperation
}

/** Everybody outside: users and operators who do what the API allows, and remember what they were answered. */
export class People {
  readonly #world: World
  readonly #watch: Watch
  readonly #requests: Requests
  readonly #operators: Operators
  readonly #tell: (line: string) => void
  #keys = 0
  /** The highest answer number that anybody was shown (EXT-3). */
  #horizon = 0
  readonly waiting: Asked[] = []
  readonly answered: Answered[] = []
  readonly #deleted = new Set<string>()

  constructor(world: World, watch: Watch, tell: (line: string) => void) {
    this.#world = world
    this.#watch = watch
    this.#requests = new Requests(world)
    this.#operators = new Operators(world)
    this.#tell = tell
  }

  get #random() {
    return this.#world.random
  }

  /** Plans, stock and some credits: where every story begins. */
  async open(published: () => Promise<void>) {
    const operators = this.#operators
    for (const plan of PLANS) await this.#ask(operators.publish(plan, 'open'))
    // An upload is for a plan that the gateway has heard of.
    await published()
    for (const { planId } of PLANS) await this.#ask(operators.upload(planId, 1 + this.#random.below(3)))
    for (const user of USERS) await this.#ask(operators.credit(user, this.#random.below(60)))
  }

  /** Something that somebody does now. */
  async act() {
    const [random, requests, operators] = [this.#random, this.#requests, this.#operators]
    const user = random.pick(USERS)
    const { planId: known, providerId } = random.pick(PLANS)
    const planId = random.chance(0.01) ? 'no-such-plan' : known
    // Who has something more often does something with it.
    const had = random.chance(0.8) ? this.#anyLive() : null
    const [owner, theirs] = had ? [had.userId, had.providerId] : [user, providerId]
    const act = random.weighted<() => Request | null | Promise<unknown>>([
      [14, () => requests.purchase(user, planId, this.#horizon)],
      [3, () => this.#clickTwice(user, planId)],
      [4, () => this.#again()],
      [4, () => requests.purchase(owner, had?.planId ?? planId, this.#horizon)],
      [2.5, () => requests.cancel(owner, theirs)],
      [2, () => requests.resume(owner, theirs)],
      [3, () => requests.ownKey(user, providerId)],
      [1.5, () => requests.deleteKey(user, providerId)],
      [1, () => requests.enableKey(user, providerId)],
      [0.3, () => requests.testKey(user, providerId)],
      [8, () => requests.autoTopUp(user)],
      [2, () => requests.wish(user, planId)],
      [0.2, () => requests.delete(user)],
      [4, () => operators.credit(user, random.below(40) + 1)],
      [1, () => operators.credit(user, -random.below(30) - 1)],
      [3, () => operators.upload(planId, random.below(2) + 1)],
      [3, () => operators.republish(had?.planId ?? planId)],
      [1, () => operators.cancel(owner, theirs)],
      [1, () => operators.terminate(owner, theirs)],
      [2, () => operators.grantDays(owner, theirs)],
      [1, () => operators.settleRevocation()],
      [1, () => operators.tick()],
      [0.2, () => operators.delete(user)],
    ])
    const made = await act()
    if (made) await this.#ask(made as Request)
  }

  #anyLive() {
    const live = this.#world.rooms.gateway.tables.subscriptions.where(({ status }) => status !== 'ended')
    return live.length > 0 ? this.#random.pick(live) : null
  }

  /** The operator moves the test clock. */
  async advance(hours: number, outage: boolean) {
    await this.#ask(this.#operators.advance(hours, outage))
  }

  /** In a hurry: the same plan twice, or several at once. */
  async #clickTwice(user: string, planId: string) {
    const [clicks, same] = [this.#random.below(3) + 2, this.#random.chance(0.5)]
    for (let click = 0; click < clicks; click += 1) {
      const wanted = same ? planId : this.#random.pick(PLANS).planId
      await this.#ask(this.#requests.purchase(user, wanted, this.#horizon))
    }
  }

  /** Something that was asked before, under the same key: after an answer, or without having heard one. */
  async #again() {
    const earlier = this.#random.chance(0.5) ? this.waiting : this.answered
    if (earlier.length === 0) return
    const { intent, operationId, caller } = this.#random.pick(earlier)
    const answer = this.answered.find((one) => one.operationId === operationId)?.answer
    const verdict = await this.#accept(intent)
    if (!intent.key || answer?.outcome !== 'succeeded' || this.#deleted.has(caller)) return
    const isReplayed = verdict.verdict === 'replayed' && verdict.operationId === operationId
    if (!isReplayed && verdict.verdict !== 'deleted')
      throw new Violation(`IDE-1: ${operationId} succeeded, and its key begins ${verdict.verdict}`)
  }

  async #ask(request: Request | null) {
    if (!request) return
    const key = KEYED.has(request.kind) ? this.#keyFor(request) : null
    await this.#accept({ key, ...request })
  }

  #keyFor({ kind, caller, subject, purchase }: Request) {
    this.#keys += 1
    const scope = { caller, operation: kind, key: `k${this.#keys}` }
    return idempotencyKey(SECRET, scope, { path: `/${kind}/${subject}`, body: { planId: purchase?.planId } })
  }

  async #accept(intent: Intent) {
    const append = this.#world.append(() => this.#random.chance(DIES_ACCEPTING))
    const asked = intent.key ? intent : { ...intent, sealedFor: this.#ownId() }
    const verdict = await this.#world.rooms.gateway.acceptor(append).accept(asked)
    this.#note(intent, verdict)
    return verdict
  }

  /** The id of an operation without a key. The gateway's own are of chance that no seed knows, but for what is sealed before. */
  #ownId() {
    this.#keys += 1
    return `op_${createHash('sha256').update(`own|${this.#keys}`).digest('hex').slice(0, 32)}`
  }

  #note(intent: Intent, verdict: Verdict) {
    const { kind, caller, purchase, subject } = intent
    this.#tell(`${caller} asks ${kind} of ${purchase?.planId ?? subject}: ${verdict.verdict}`)
    if (!('operationId' in verdict) || verdict.verdict === 'seal') return
    const { operationId } = verdict
    const shown = this.#world.rooms.gateway.tables.plans.get(purchase?.planId ?? '')
    if (verdict.verdict === 'new' && shown) this.#watch.quoted(operationId, shown)
    const known = this.answered.find((one) => one.operationId === operationId)
    if (verdict.verdict === 'replayed' && known && known.answer.outcome !== 'succeeded')
      throw new Violation(`IDE-2: ${operationId} is replayed though it was ${known.answer.outcome}`)
    const isLost = this.#random.chance(ANSWER_LOST)
    if (!known && !isLost) this.waiting.push({ operationId, kind, caller, intent })
  }

  /** Whoever waits looks whether there is an answer. */
  async look() {
    if (this.waiting.length === 0) return
    const ids = this.waiting.map(({ operationId }) => operationId)
    const expired = ids.filter(() => this.#random.chance(WAIT_OVER))
    const { operations, horizon } = await this.#world.rooms.gateway.answers(ids, expired)
    this.#horizon = Math.max(this.#horizon, horizon)
    for (const answer of operations) if (answer.visible) this.#hear(answer)
  }

  #hear(answer: ShownOperation) {
    for (const asked of this.waiting.filter(({ operationId }) => operationId === answer.id)) {
      this.waiting.splice(this.waiting.indexOf(asked), 1)
      this.answered.push({ ...asked, answer })
      const code = answer.outcome === 'succeeded' ? '' : ` ${(answer.answer as { code?: string }).code}`
      this.#tell(`${asked.caller} is answered ${asked.kind}: ${answer.outcome}${code}`)
      if (asked.kind === 'purchase' && answer.outcome === 'succeeded') this.#watch.answered(answer.id, answer.answer)
      if (asked.kind === 'delete_account' && answer.outcome === 'succeeded') this.#deleted.add(asked.intent.subject)
    }
  }
}
