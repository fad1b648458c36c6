/** Topic → partition → offset. */
export type Offsets = ReadonlyMap<string, ReadonlyMap<number, number>>

/** What a service's process has not finished. */
export interface Open {
  readonly unpublished: number
  readonly calls: number
  readonly due: number
}

export const isFinished = ({ unpublished, calls, due }: Open) => unpublished === 0 && calls === 0 && due === 0

/**
 * Everything said has been read: each group's committed offsets are the ends of all topics it reads. Exact only for
 * committed offsets that are older than the ends, with every process found finished in between (protocol.md 8): an answer
 * that is not yet published shows as open, a published one shows in the ends.
 */
export const isRead = (committed: ReadonlyMap<string, Offsets>, ends: Offsets): boolean => {
  for (const topics of committed.values()) {
    if (topics.size === 0) return false // a group that has not begun to read
    for (const [topic, partitions] of topics) {
      const end = ends.get(topic)
      if (!end) return false
      for (const [partition, offset] of end) if (Math.max(0, partitions.get(partition) ?? 0) < offset) return false
    }
  }
  return true
}
