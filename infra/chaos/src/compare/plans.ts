import type { Client } from '@coding-plans/e2e/house'
import { catalogue } from '../catalogue.ts'
import type { Notebook } from '../memory.ts'

interface Shown {
  readonly id: string
  readonly priceMicrodollars: number
}

/** When all is calm every gateway shows every plan at the price that was published last. */
export const comparePlans = async (operator: Client, notebook: Notebook) => {
  for (const gateway of [0, 1]) {
    const { body } = await operator('GET /plans', { gateway })
    for (const { id } of catalogue) {
      const shown = (body.data as Shown[]).find((plan) => plan.id === id)?.priceMicrodollars
      const published = notebook.prices.couldShow(id)
      if (shown === undefined || !published.has(shown))
        notebook.violation(
          'a plan shows the price that was published last',
          `${id} shows ${shown} instead of ${[...published].join(' or ')} at gateway ${gateway + 1}`,
        )
    }
  }
}
