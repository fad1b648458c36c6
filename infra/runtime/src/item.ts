import type { Message } from './handler.ts'

/** One record of the buffer: a message, or bytes that cannot be one, with the place they hold in their lane. */
export interface Item {
  readonly topic: string
  readonly lane: number
  readonly offset: number
  readonly key: string
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  /** null: not for this service. */
  readonly message: Message | null
  /** Why it is a dead letter already. */
  readonly nonsense?: string
}
