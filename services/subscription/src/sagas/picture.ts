import { isFinal, tables } from './engine.ts'
import type { SagaKind } from './saga.ts'
import { holdCredits } from './steps.ts'
import { type Entry, type Heard, waysOf } from './table.ts'

/** A way that a table shows: from a state (or the beginning) to a state, on what was heard. */
export interface Way {
  readonly from: string
  readonly to: string
  readonly heard: Heard
  readonly guard: string
  readonly again: boolean
  /** Another hold is asked for: what answered an earlier one is outdated. */
  readonly holds: boolean
}

const BEGINNING = '[*]'
const columnsOf = (row: object) => Object.entries(row) as [Heard, Entry<string, unknown, Heard>][]

/** Every way of a saga, its beginnings first. */
export const waysThrough = (kind: SagaKind): Way[] => {
  const { begins, states } = tables[kind]
  const rows: [string, object][] = [[BEGINNING, { Begun: begins }], ...Object.entries(states)]
  return rows.flatMap(([from, row]) =>
    columnsOf(row).flatMap(([heard, entry]) =>
      waysOf(entry).map(({ cell: { to, again, send }, guard }) => {
        const holds = [send].flat().includes(holdCredits as never)
        return { from, to, heard, guard, again: again !== undefined, holds }
      }),
    ),
  )
}

export const statesOf = (kind: SagaKind): string[] => Object.keys(tables[kind].states)

export const isFinalState = (kind: SagaKind, state: string) => isFinal(tables[kind] as never, state)

const words = (name: string) => name.replace(/([a-z])([A-Z])/g, (_, end, start) => `${end} ${start.toLowerCase()}`)

const labelOf = ({ heard, guard }: Way) => {
  const condition = guard.startsWith('not ') ? `not ${words(guard.slice(4))}` : words(guard)
  if (heard === 'Begun') return condition
  return condition === '' ? heard : `${heard}, ${condition}`
}

/** A table as a mermaid diagram. What stays where it is, is not drawn. */
export const draw = (kind: SagaKind): string => {
  const arrows = waysThrough(kind)
    .filter(({ from, to }) => from !== to)
    .map((way) => {
      const label = labelOf(way)
      return `  ${way.from} --> ${way.to}${label === '' ? '' : ` : ${label}`}`
    })
  const ends = statesOf(kind)
    .filter((state) => isFinalState(kind, state))
    .map((state) => `  ${state} --> [*]`)
  return ['```mermaid', 'stateDiagram-v2', ...arrows, ...ends, '```'].join('\n')
}
