import type { Stack } from '@coding-plans/local'

/** How services have cut their work into rounds, as they say themselves. */

export interface Rounds {
  readonly service: string
  readonly rounds: number
  readonly messages: number
}

export const roundsOf = ({ services }: Stack): Promise<Rounds[]> =>
  Promise.all(
    services.map(async ({ service, url }) => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const counted = (what: string) =>
        Number(new RegExp(`round_messages_${what}\\{[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0)
      return { service, rounds: counted('count'), messages: counted('sum') }
    }),
  )

/** A line for a figure's notes. */
export const roundsBetween = (before: readonly Rounds[], after: readonly Rounds[]): string => {
  const taken = after.map(({ service, rounds, messages }, n) => {
    const [more, of] = [rounds - (before[n]?.rounds ?? 0), messages - (before[n]?.messages ?? 0)]
    return `${service} ${more} rounds of ${of} messages`
  })
  return `rounds  ${taken.join(', ')}`
}
