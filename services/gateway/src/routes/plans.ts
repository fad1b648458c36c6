import { showPlan } from '../presentation.ts'
import { Plan, page } from '../shapes.ts'
import { answers, anyUser, type Routes } from './route.ts'

export const planRoutes: Routes = (api, { reading, now }) => {
  api.get(
    '/plans',
    { config: anyUser, schema: { summary: 'All open and closed plans', response: answers({ 200: page(Plan) }) } },
    async () => {
      const [plans, at] = [await reading.plans({ hidden: false }), (await now()) ?? 0]
      return { data: plans.map((plan) => showPlan(plan, at)), nextCursor: null }
    },
  )
}
