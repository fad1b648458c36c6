import type { Knex } from 'knex'
import { forgetOldSeen } from './lanes.ts'
import { forgetOldLetters } from './letters.ts'
import type { Logger } from './log.ts'

/** Lets go of old seen ids and old dead letters. What fails is forgotten the next time; it is told once, until it works again. */
export class Forgetting {
  readonly #knex: Knex
  readonly #log: Logger
  #isTold = false

  constructor({ knex, log }: { readonly knex: Knex; readonly log: Logger }) {
    this.#knex = knex
    this.#log = log
  }

  async run() {
    const outcomes = await Promise.allSettled([forgetOldSeen(this.#knex), forgetOldLetters(this.#knex)])
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed && !this.#isTold) this.#log.warn({ err: failed.reason }, 'What is old was not forgotten')
    this.#isTold = failed !== undefined
  }
}
