/** How far something is told, version by version. */
export interface Versions {
  /** The highest that was heard. */
  version: number
  /** Those before it that were not: they lie in the dead letters, or are lost. The last few. */
  missing: number[]
}

/** What one version is to those that were heard before; null: it was heard. */
export type News = 'next' | 'late' | null

/** One user or subscription misses no more for as long as an operator needs to send a dead letter again. */
const MOST_MISSING = 50

/** All until this version, and it too, were not heard. @returns how many of them are not remembered as missing. */
export const passOver = (known: Versions, until: number): number => {
  const passed = Math.max(0, until - known.version)
  const remembered = Math.min(passed, MOST_MISSING)
  const missing = [...known.missing, ...Array.from({ length: remembered }, (_, n) => until - remembered + 1 + n)]
  known.version = Math.max(known.version, until)
  known.missing = missing.slice(-MOST_MISSING)
  return passed - remembered + missing.length - known.missing.length
}

/** This version is heard. One lane's order is relied upon: what comes behind a later one was missed, and is sent again. */
export const hear = (known: Versions, version: number): { news: News; forgotten: number } => {
  if (version > known.version) {
    const forgotten = passOver(known, version - 1)
    known.version = version
    return { news: 'next', forgotten }
  }
  const news = known.missing.includes(version) ? 'late' : null
  if (news) known.missing = known.missing.filter((one) => one !== version)
  return { news, forgotten: 0 }
}
