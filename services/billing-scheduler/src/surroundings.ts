import { type Cluster, endOffsets, groupOffsets } from '@coding-plans/runtime'
import type { Open } from './domain/settled.ts'
import type { Surroundings } from './settlement.ts'

export interface SurroundingsOptions {
  readonly cluster: Cluster
  /** The consumer group of every service. */
  readonly groups: readonly string[]
  /** The internal base URL of every process of every service. */
  readonly serviceUrls: readonly string[]
  readonly internalSecret: Buffer
}

const ANSWER_WITHIN_MILLISECONDS = 2_000

/** The broker and every service, asked for what is still open. @throws whatever does not answer. */
export const createSurroundings = ({
  cluster,
  groups,
  serviceUrls,
  internalSecret,
}: SurroundingsOptions): Surroundings => ({
  committed: () => groupOffsets(cluster, groups),
  open: () => Promise.all(serviceUrls.map((url) => askOpen(url, internalSecret))),
  ends: (topics) => endOffsets(cluster, topics),
})

const askOpen = async (url: string, internalSecret: Buffer): Promise<Open> => {
  const response = await fetch(new URL('/internal/open', url), {
    headers: { authorization: `Bearer ${internalSecret.toString('base64')}` },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS),
  })
  if (!response.ok) throw new Error(`${url} answers ${response.status} when asked what is open.`)
  const { unpublished, calls, due } = (await response.json()) as Record<string, unknown>
  const open = { unpublished, calls, due }
  for (const [name, count] of Object.entries(open))
    if (typeof count !== 'number') throw new Error(`${url} does not say how many are ${name}.`)
  return open as Open
}
