import type { Stack } from '@coding-plans/local'

/** How many messages died since the process began, by its /metrics. @throws Error when it does not tell: that is not none. */
export const deadLettersIn = (metrics: string): number => {
  const count = /^dead_letters_total\{.*\} (\d+)$/m.exec(metrics)?.[1]
  if (count === undefined) throw new Error('/metrics does not tell dead_letters_total.')
  return Number(count)
}

/** How many messages died in each service that runs. */
export const countDeadLetters = (stack: Stack) =>
  Promise.all(
    stack.services.map(async ({ url, service }) => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return { service, dead: deadLettersIn(metrics) }
    }),
  )
