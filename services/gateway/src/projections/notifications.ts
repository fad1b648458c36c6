import { createHash } from 'node:crypto'
import type { NotificationRow } from '../rows.ts'
import type { ReadModels } from './models.ts'

interface Notice extends Pick<NotificationRow, 'kind' | 'userId' | 'at' | 'data'> {
  readonly subscriptionId?: string
  readonly planId?: string
  /** With its kind and subscription, what makes it this one: said again, it is the same. */
  readonly about: string | number
}

const ID_CHARACTERS = 32

/** Tell a user, once, whatever is sent again (NOT-1); nothing to whom nothing is kept of any more. */
export const notify = (models: ReadModels, notice: Notice) => {
  const { kind, userId, at, data, subscriptionId = null, planId = null, about } = notice
  if (models.forgot(userId)) return
  const natural = JSON.stringify([userId, kind, subscriptionId, about])
  const id = `ntf_${createHash('sha256').update(natural).digest('hex').slice(0, ID_CHARACTERS)}`
  models.notifications.push({ id, userId, at, kind, subscriptionId, planId, data })
}
