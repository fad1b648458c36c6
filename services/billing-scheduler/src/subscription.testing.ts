import { pause } from '@coding-plans/runtime'
import type { Heard, Listener, Speaker } from '@coding-plans/runtime/testing'
import { type Bodies, type Instant, instant, microdollars, type UserId, userId } from '@coding-plans/schemas'
import { activatedBody, endedBody, renewedBody } from './bodies.testing.ts'

const DAY = 86_400_000

type Record = ReturnType<Speaker['record']>

/** How one due message is answered. */
type Verdict = 'renew' | 'fail' | 'ignore' | 'end'

export interface Life {
  readonly user: string
  readonly boundary: Instant
  readonly periodDays: number
  /** For its next due messages; renewed when there is none left. */
  readonly verdicts?: readonly Verdict[]
}

interface Living {
  readonly user: UserId
  readonly periodDays: number
  readonly verdicts: Verdict[]
  boundary: Instant
  version: number
}

/** The subscription service as far as the scheduler knows it: says what lives, and answers what is due in the order it is heard. */
export class SubscriptionStandIn {
  /** What each clock said, beside the earliest boundary that was not answered when it was heard. */
  readonly told: { now: Instant; settled: boolean; unanswered: number }[] = []
  readonly #speaker: Speaker
  readonly #heard: Listener
  readonly #living = new Map<string, Living>()
  readonly #said: Record[] = []
  #stopped = false
  #answering: Promise<void>

  constructor(speaker: Speaker, heard: Listener) {
    this.#speaker = speaker
    this.#heard = heard
    this.#answering = this.#answerAll()
  }

  async begin(lives: { readonly [subscriptionId: string]: Life }) {
    await this.#say(
      Object.entries(lives).map(([subscriptionId, { user, boundary, periodDays, verdicts = [] }]) => {
        const living = { user: userId(user), boundary, periodDays, verdicts: [...verdicts], version: 1 }
        this.#living.set(subscriptionId, living)
        const body = activatedBody({ userId: living.user, subscriptionId, currentPeriodEnd: boundary })
        return this.#speaker.record('SubscriptionActivated', body, { cause: `activated ${subscriptionId}` })
      }),
    )
  }

  /** Everything it ever said, a second time. */
  repeatAll() {
    return this.#speaker.say(this.#said)
  }

  async stop() {
    this.#stopped = true
    await this.#answering
  }

  async #say(records: readonly Record[]) {
    this.#said.push(...records)
    await this.#speaker.say(records)
  }

  async #answerAll() {
    // A publisher that goes may leave a due message to be published again: who answered it has seen it.
    for (const news = this.#heard.follow(); !this.#stopped; await pause(5)) {
      const answers: Record[] = []
      const underWay: Instant[] = []
      for (const { name, id, body } of news()) {
        if (name === 'RenewalDueSoon') answers.push(this.#tellSoon(id, body))
        if (name === 'PeriodEnded') {
          underWay.push(body.boundary)
          answers.push(this.#answer(id, body))
        }
        if (name !== 'ClockMoved') continue
        const boundaries = [...this.#living.values()].map(({ boundary }) => boundary)
        this.told.push({ now: body.now, settled: body.settled, unanswered: Math.min(...boundaries, ...underWay) })
      }
      await this.#say(answers)
    }
  }

  #tellSoon(id: Heard['id'], { userId: user, subscriptionId, boundary, at }: Bodies['RenewalDueSoon']): Record {
    const body = { userId: user, subscriptionId, boundary, amount: microdollars(1), at }
    return this.#speaker.record('RenewingSoon', body, { cause: id, time: at })
  }

  #answer(id: Heard['id'], { userId: user, subscriptionId, boundary }: Bodies['PeriodEnded']): Record {
    const living = this.#living.get(subscriptionId)
    const how = { cause: id, time: boundary }
    const whose = { userId: user, subscriptionId }
    const verdict = living?.verdicts.shift() ?? 'renew'
    if (verdict === 'fail') {
      const failure = { subject: user, messageId: id, messageName: 'PeriodEnded', reason: 'a bug' }
      return this.#speaker.record('CommandFailed', failure, how)
    }
    if (living?.boundary !== boundary || verdict === 'ignore') {
      this.#living.delete(subscriptionId)
      return this.#speaker.record('DueIgnored', { ...whose, boundary, what: 'period_ended' }, how)
    }
    living.version += 1
    const { version } = living
    if (verdict === 'end') {
      this.#living.delete(subscriptionId)
      return this.#speaker.record(
        'SubscriptionEnded',
        endedBody({ ...whose, boundary, endedAt: boundary, version }),
        how,
      )
    }
    living.boundary = instant(boundary + living.periodDays * DAY)
    const body = renewedBody({ ...whose, boundary, currentPeriodEnd: living.boundary, version })
    return this.#speaker.record('SubscriptionRenewed', body, how)
  }
}
