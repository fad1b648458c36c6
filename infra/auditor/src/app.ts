import { clusterOf, openLog, type ServiceOptions, select, topicsOf } from '@coding-plans/runtime'
import type { Config } from './config.ts'
import { explaining } from './explaining.ts'
import { heardNames } from './fold/index.ts'
import { handler, SERVICE } from './handlers.ts'
import { judging } from './judging.ts'
import { Outlook } from './outlook.ts'
import type { Notebook } from './store.ts'

/** Nobody is in a hurry to be audited: rounds that are larger cost less. */
const PACE_MILLISECONDS = 100
/** On a new house there is a report within seconds, and it is worth waiting for; a long history takes longer, and nobody waits. */
const FIRST_REPORT_WITHIN_MILLISECONDS = 10_000

/** The auditor as a service: hears everything, says what holds, and explains. */
export const auditor = (config: Config): Omit<ServiceOptions<Notebook>, 'environment'> => {
  const outlook = new Outlook({
    cluster: clusterOf(config),
    topics: topicsOf(heardNames),
    databases: {
      ...(config.CREDITS_LEDGER_DATABASE_URL ? { 'credits-ledger': config.CREDITS_LEDGER_DATABASE_URL } : {}),
      ...(config.SUBSCRIPTION_DATABASE_URL ? { subscription: config.SUBSCRIPTION_DATABASE_URL } : {}),
      ...(config.KEY_INVENTORY_DATABASE_URL ? { 'key-inventory': config.KEY_INVENTORY_DATABASE_URL } : {}),
      ...(config.GATEWAY_DATABASE_URL ? { gateway: config.GATEWAY_DATABASE_URL } : {}),
    },
    log: openLog(SERVICE, config.LOG_LEVEL),
  })
  const patientUntil = Date.now() + FIRST_REPORT_WITHIN_MILLISECONDS
  let note: Parameters<typeof judging>[1] = () => {}
  return {
    service: SERVICE,
    handler,
    work: [explaining, judging(outlook, (checks) => note(checks))],
    paceMilliseconds: PACE_MILLISECONDS,
    routes: (http, { metrics }) => {
      const gauge = metrics.gauge('invariant_violations', 'What does not hold, by check.', ['check'])
      note = (checks) => {
        gauge.reset()
        for (const { check, violations } of checks) gauge.set({ check }, violations)
      }
      http.addHook('onListen', async () => outlook.start())
      http.addHook('onClose', () => outlook.stop())
    },
    missing: async (knex) => {
      if (Date.now() > patientUntil || (await select(knex, 'select from report')).length > 0) return null
      return 'Nothing has been checked yet.'
    },
  }
}
