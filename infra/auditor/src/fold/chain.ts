/** A message by its place, as far as a chain of causes needs it. */
export interface Link {
  readonly id: string
  readonly name: string
  /** The service that said it. */
  readonly source: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Business time. */
  readonly at: number
  /** The id of the message that caused it; null: it began there. */
  readonly causeId: string | null
}

/** Longer is none: every saga is a dozen steps. */
export const MOST_LINKS = 200

/** From what began it to this message; `closed`: nothing between is missing. */
export const chainOf = (
  id: string,
  find: (id: string) => Link | undefined,
): { chain: readonly Link[]; closed: boolean } => {
  const chain: Link[] = []
  for (let next: string | null = id; next !== null && chain.length < MOST_LINKS; ) {
    const link = find(next)
    if (!link) return { chain, closed: false }
    chain.unshift(link)
    next = link.causeId
  }
  return { chain, closed: chain[0]?.causeId === null }
}

/**
 * Why a charge was made: a renewal that had to wait goes back to the credits that came, and those say nothing of the term. So
 * what said it due comes first. null: something has not been heard.
 */
export const explainingChain = (
  id: string,
  dueId: string | null,
  find: (id: string) => Link | undefined,
): readonly Link[] | null => {
  const { chain, closed } = chainOf(id, find)
  if (!closed) return null
  if (dueId === null || chain.some((link) => link.id === dueId)) return chain
  const due = chainOf(dueId, find)
  return due.closed ? [...due.chain, ...chain] : null
}
