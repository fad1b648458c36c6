import { instant } from '@coding-plans/schemas'
import { expect, test } from 'vitest'
import { explainingChain, type Link } from './chain.ts'

/** Each goes back to the one before it. */
const linked = (...ids: readonly string[]): Link[] =>
  ids.map((id, n) => ({
    ...{ id, name: id, source: 'billing-scheduler', topic: 't', partition: 0, offset: n, at: instant(n) },
    causeId: ids[n - 1] ?? null,
  }))
const among = (links: readonly Link[]) => (id: string) => links.find((link) => link.id === id)
const ids = (chain: readonly Link[] | null) => chain?.map(({ id }) => id) ?? null

test('a renewal that waited is explained by what said it due, and then by the credits that came', () => {
  const paid = linked('PostCredits', 'CreditsPosted', 'HoldCredits', 'HoldCaptured')
  const told = linked('PeriodEnded')
  const chain = (dueId: string | null, links: readonly Link[]) =>
    ids(explainingChain('HoldCaptured', dueId, among(links)))
  expect(chain('PeriodEnded', [...paid, ...told])).toEqual(['PeriodEnded', ...paid.map(({ id }) => id)])
  expect(chain(null, paid)).toEqual(paid.map(({ id }) => id))
  // Not before everything has been heard.
  expect(chain('PeriodEnded', paid)).toBeNull()
  expect(chain(null, paid.slice(1))).toBeNull()
})

test('what goes back to its due term anyway is told once', () => {
  const paid = linked('PeriodEnded', 'HoldCredits', 'HoldCaptured')
  expect(ids(explainingChain('HoldCaptured', 'PeriodEnded', among(paid)))).toEqual(paid.map(({ id }) => id))
})
