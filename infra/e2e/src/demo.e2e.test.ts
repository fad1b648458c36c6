import { afterAll, beforeAll, expect, test } from 'vitest'
import { tell } from './demo.ts'
import { type House, openHouse } from './house.ts'
import { advanceTo } from './life.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house?.close())

test('the demo tells its story to the end, and tells no more of a secret than its user was shown', async () => {
  // The day from which a month leads to most ends of months.
  await advanceTo(house, Date.parse('2032-12-31T12:00:00.000Z'))
  const lines: string[] = []
  await tell(house, (line) => lines.push(line))
  const story = lines.join('\n')
  for (const word of ['status active', 'top_up', 'past_due', 'recovered', 'restock', 'sold_out', 'account_deleted'])
    expect(story).toContain(word)
  expect(lines.at(-1)).toContain('chapters, told.')
  expect(story.split('sk-acme-0001')).toHaveLength(3)
})
