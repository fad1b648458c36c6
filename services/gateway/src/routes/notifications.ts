import { pageAsked, pageOf } from '../cursor.ts'
import { showNotification } from '../presentation.ts'
import { Notification, page } from '../shapes.ts'
import { answers, anyUser, byUser, PageQuery, type Routes, supportAndBilling } from './route.ts'

export const notificationRoutes: Routes = (api, { reading }) => {
  const list = async (userId: string, query: { limit?: number; cursor?: string }) => {
    const asked = pageAsked(query, 2)
    const rows = await reading.notifications(userId, asked)
    return pageOf(rows, asked, ({ at, sequence }) => [at, sequence], showNotification)
  }

  api.get(
    '/notifications',
    {
      config: anyUser,
      schema: {
        summary: 'What the caller was told, newest first (NOT-1)',
        querystring: PageQuery,
        response: answers({ 200: page(Notification) }),
      },
    },
    ({ caller, query }) => list(caller.id, query),
  )

  api.get(
    '/admin/users/:userId/notifications',
    {
      config: supportAndBilling,
      schema: {
        summary: 'What a user was told, newest first',
        params: byUser,
        querystring: PageQuery,
        response: answers({ 200: page(Notification) }),
      },
    },
    ({ params, query }) => list(params.userId, query),
  )
}
