import { invalid } from './problem.ts'

/** Where a page begins: the sort keys of the last row before it, opaque to the caller. */
export type Position = readonly number[]

export interface PageAsked {
  readonly limit: number
  /** null: from the newest. */
  readonly after: Position | null
}

export interface Page<Row> {
  readonly data: Row[]
  readonly nextCursor: string | null
}

export const DEFAULT_LIMIT = 25
export const MOST_ROWS = 100

export const writeCursor = (position: Position) => Buffer.from(JSON.stringify(position)).toString('base64url')

const readCursor = (cursor: string, width: number): Position => {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(position) && position.length === width && position.every(Number.isSafeInteger))
      return position as Position
  } catch {
    // not one of ours
  }
  throw invalid('The cursor is not one that this list has given.')
}

/** @param width how many sort keys a position of this list has. @throws Refused 400 for a cursor that is none. */
export const pageAsked = ({ limit, cursor }: { limit?: number; cursor?: string }, width: number): PageAsked => ({
  limit: limit ?? DEFAULT_LIMIT,
  after: cursor === undefined ? null : readCursor(cursor, width),
})

/** One page of rows that were asked for with one row more than the page shows. */
export const pageOf = <Row, Shown>(
  rows: readonly Row[],
  { limit }: PageAsked,
  positionOf: (row: Row) => Position,
  show: (row: Row) => Shown,
): Page<Shown> => {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    data: rows.slice(0, limit).map(show),
    nextCursor: last === undefined ? null : writeCursor(positionOf(last)),
  }
}
