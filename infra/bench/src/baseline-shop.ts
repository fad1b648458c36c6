import { fresh, type House } from '@coding-plans/e2e/house'
import { startBaseline, stockBaseline } from './baseline/baseline.ts'
import { houseDisks, type Shop } from './shop.ts'

/** The monolith on the house's own database server, in a database of its own. Our services should be stopped. */
export const baselineShop = async (house: House): Promise<Shop> => {
  const { servers, secrets } = house.stack
  const authSecret = secrets.AUTH_JWT_SECRET
  const databaseUrl = await servers.createDatabase('baseline')
  const { url, pid, stop } = await startBaseline({ databaseUrl, authSecret })
  const onSale = (price: number) => {
    const planId = fresh('plan')
    return { planId, providerId: `provider-${planId}`, price, period: { unit: 'month', count: 1 } } as const
  }
  return {
    name: 'baseline ',
    url,
    authSecret,
    processes: [
      { name: 'baseline', pid },
      { name: 'postgres', pid: servers.postgres.pid },
    ],
    disks: houseDisks(house),
    rounds: async () => [],
    databases: { subscriptions: databaseUrl, ledger: databaseUrl },
    offer: async (price, keys) => {
      const plan = onSale(price)
      await stockBaseline(databaseUrl, { users: [], creditsEach: 0, plan, keys })
      return plan.planId
    },
    // Accounts come with a plan; nobody buys this one.
    fund: (users, creditsEach) => stockBaseline(databaseUrl, { users, creditsEach, plan: onSale(1), keys: 0 }),
    close: stop,
  }
}
