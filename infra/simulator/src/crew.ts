import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Bug } from './bugs.ts'
import { type Outcome, simulate } from './run.ts'

// As many threads as there are processors, each with every n-th seed.

export interface Order {
  readonly seeds: readonly number[]
  readonly bug: Bug | null
}

export type Short = Omit<Outcome, 'story'>

/** Runs all of them; `told` hears each as it is done, in no order, and says whether to go on. */
export const runAll = async ({ seeds, bug }: Order, told: (outcome: Short) => boolean): Promise<void> => {
  const count = Math.min(availableParallelism(), seeds.length)
  const workers = Array.from({ length: count }, (_, place) => {
    const order: Order = { seeds: seeds.filter((_, index) => index % count === place), bug }
    return new Worker(new URL(import.meta.url), { workerData: order })
  })
  const stop = async () => {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const ended = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('message', (outcome: Short) => {
          if (!told(outcome)) void stop()
        })
        worker.once('error', reject)
        worker.once('exit', () => resolve())
      }),
  )
  try {
    await Promise.all(ended)
  } finally {
    await stop()
  }
}

if (!isMainThread) {
  const { seeds, bug } = workerData as Order
  for (const seed of seeds) {
    const { story: _, ...outcome } = await simulate(seed, { bug })
    parentPort?.postMessage(outcome)
  }
}
