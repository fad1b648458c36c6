import { instant, microdollars, type UserId } from '@coding-plans/schemas'
import type { Speaker } from '../testing.ts'

/** What the probe is asked for. */
export const holdBy = (speaker: Speaker, user: string, holdId: string) =>
  speaker.record(
    'HoldCredits',
    {
      userId: user as UserId,
      holdId,
      amount: microdollars(1),
      purpose: 'activation',
      operationId: null,
      subscriptionId: 's',
      boundary: null,
    },
    { cause: `${user}/${holdId}`, time: instant(1_000), correlationId: `saga ${holdId}` },
  )
