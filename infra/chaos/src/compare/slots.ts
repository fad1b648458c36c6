import { planOf, providers } from '../catalogue.ts'
import { mayBe, type Notebook } from '../memory.ts'
import type { Life, Rule } from './life.ts'

const liveIn = ({ subscriptions }: Life, providerId: string) =>
  subscriptions.find((one) => one.providerId === providerId && one.status !== 'ended')

/** Revealed keys are noted on the way: whoever is shown somebody else's is found. */
export const slotRules = (notebook: Notebook): Rule[] => [
  {
    what: 'who is live has a key of that plan in the slot, shown only if it is the user’s',
    check: (life) =>
      providers.flatMap((providerId) => {
        const live = liveIn(life, providerId)
        if (!live) return []
        const slot = life.slots.find((one) => one.providerId === providerId)
        const isShown = planOf(live.planId)?.ownership === 'user'
        if (slot?.managedBy !== 'plan' || slot.subscriptionId !== live.id || (slot.key !== null) !== isShown) {
          const found = slot ? `belongs to ${slot.subscriptionId ?? 'the user'}` : 'is empty'
          return [`${life.user}: ${live.id} is ${live.status}, the slot of ${providerId} ${found}`]
        }
        if (slot.key !== null) notebook.show(life.user, slot.key, (planId) => planId === live.planId)
        return []
      }),
  },
  {
    what: 'who is not live has no key but their own, byte for byte',
    check: (life) =>
      providers.flatMap((providerId) => {
        if (liveIn(life, providerId)) return []
        const slot = life.slots.find((one) => one.providerId === providerId)
        const own = life.memory.ownKey(providerId)
        const key = slot ? slot.key : null
        const isOwn = slot === undefined || slot.managedBy === 'user'
        if (isOwn && mayBe(own, key)) return []
        const expected = own.said === null ? 'nothing' : 'the key that the user put there'
        return [
          `${life.user}: the slot of ${providerId} should hold ${expected}, and ${slot ? `is managed by the ${slot.managedBy}, its key another` : 'is empty'}`,
        ]
      }),
  },
]
