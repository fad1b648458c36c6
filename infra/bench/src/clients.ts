import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Who buys what, and how. */
export interface Order {
  readonly url: string
  readonly authSecret: string
  readonly planId: string
  /** Each buys once, in this order; when none is left the load ends. */
  readonly users: readonly string[]
  readonly seconds: number
  /** So many clients with one request under way each; or so many purchases a second, whatever becomes of them. */
  readonly load: { readonly clients: number } | { readonly perSecond: number }
}

export interface Refusal {
  readonly user: string
  /** 0: there was no answer. */
  readonly status: number
  readonly body: string
}

export interface Outcome {
  readonly bought: number
  /** The first that did not answer 201; empty when all did. */
  readonly refusals: readonly Refusal[]
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Of each answer; at a fixed rate counted from the instant at which it was due. */
  readonly milliseconds: readonly number[]
}

/** Everything is made beforehand: tokens, headers. */
export interface Load {
  readonly run: () => Promise<Outcome>
  /** Nothing new is begun; what is under way is answered. */
  readonly end: () => void
}

/** The clients, in a process of their own, so that their CPU is apart. */
export interface Clients {
  readonly pid: number
  /** One load at a time. */
  readonly prepare: (order: Order) => Promise<Load>
  readonly close: () => Promise<void>
}

/** What is said to the process. */
export type Word = { readonly prepare: Order } | 'go' | 'end'
/** What it answers. */
export type Reply = 'prepared' | Outcome

const nextReply = async (child: ChildProcess): Promise<Reply> => {
  const controller = new AbortController()
  const { signal } = controller
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([reply]) => reply as Reply),
      once(child, 'exit', { signal }).then(([code, by]): never => {
        throw new Error(`The clients ended (${by ?? `code ${code}`}).`)
      }),
    ])
  } finally {
    controller.abort()
  }
}

/** The process ends with this one, however that ends. */
export const openClients = (): Clients => {
  const child = fork(join(import.meta.dirname, 'load-process.ts'), { env: { PATH: process.env.PATH } })
  const say = (word: Word) => child.send(word)
  return {
    pid: child.pid as number,
    prepare: async (order) => {
      say({ prepare: order })
      await nextReply(child)
      return {
        run: () => {
          const outcome = nextReply(child) as Promise<Outcome>
          say('go')
          return outcome
        },
        end: () => {
          if (child.connected) say('end')
        },
      }
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
