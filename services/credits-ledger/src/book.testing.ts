import type { Call, Saying } from '@coding-plans/runtime'
import { message } from '@coding-plans/runtime/testing'
import { type Bodies, instant, type MessageName, userId } from '@coding-plans/schemas'
import { holdCredits, postCredits } from './bodies.testing.ts'
import { type Account, emptyAccount } from './domain/account.ts'
import { noTerms } from './domain/payment-terms.ts'
import type { Transfer } from './domain/transfer.ts'
import { checkAccount } from './domain/verification.ts'
import { handlerUnder } from './handlers.ts'
import { emptyLedger, type Ledger } from './ledger.ts'

export type Command =
  | 'HoldCredits'
  | 'CaptureHold'
  | 'ReleaseHold'
  | 'PostCredits'
  | 'RefundCredits'
  | 'SetAutoTopUp'
  | 'SettleAutoTopUp'
  | 'TopUpCredits'
  | 'SettleTopUp'
  | 'CloseAccount'
export type Answer = { readonly [Name in MessageName]: { name: Name; body: Bodies[Name] } }[MessageName]

/** The ledger as it is decided, with nothing around it. Time passes with every command. */
export class Book {
  ledger: Ledger = emptyLedger()
  /** What was said of more being available, beside the answers. */
  readonly increases: Bodies['AvailableIncreased'][] = []
  /** What was to be called. */
  readonly calls: Call[] = []
  readonly #decide
  #now = 1_000

  constructor(terms = noTerms) {
    this.#decide = handlerUnder(terms).decide
  }

  /** @throws as `decide` does; nothing is changed then. */
  ask<Name extends Command>(name: Name, body: Bodies[Name], { time = this.#now }: { time?: number } = {}): Answer[] {
    this.#now += 1
    const decide = this.#decide[name]
    if (!decide) throw new Error(`${name} is not heard.`)
    const said: (Saying | Call)[] = decide(this.ledger, message(name, body, { time: instant(time) }))
    const answers: Answer[] = []
    for (const one of said)
      if ('call' in one) this.calls.push(one)
      else if (one.name === 'AvailableIncreased') this.increases.push(one.body as Bodies['AvailableIncreased'])
      else answers.push({ name: one.name, body: one.body } as Answer)
    return answers
  }

  /** What is known stays known, nothing is left to be written. */
  newRound() {
    this.ledger = { ...this.ledger, written: emptyLedger().written }
  }

  account(user: string): Account {
    return this.ledger.accounts.get(userId(user)) ?? emptyAccount(userId(user))
  }

  /** In the order in which they were written. */
  transfers(user?: string): Transfer[] {
    return [...this.ledger.transfers.values()].filter((transfer) => user === undefined || transfer.userId === user)
  }

  /** What verification finds wrong with a user's account as it is, or with these transfers instead. */
  complaint(user: string, transfers = this.transfers(user), account = this.account(user)): string | null {
    const check = checkAccount(userId(user))
    for (const transfer of transfers) check.take(transfer)
    return check.finish(
      account,
      [...this.ledger.holds.values()].filter((hold) => hold.userId === user),
    )
  }
}

/** A book in which ada has been granted this much. */
export const granted = (amount: number) => {
  const book = new Book()
  book.ask('PostCredits', postCredits('ada', 'op_grant', amount))
  return book
}

/** As `granted`, with an open hold of ten. */
export const held = (amount: number) => {
  const book = granted(amount)
  book.ask('HoldCredits', holdCredits('ada', 'hold_1', 10))
  return book
}
