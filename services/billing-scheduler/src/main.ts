import { clusterOf, openLog, runService } from '@coding-plans/runtime'
import { AUDITOR, services } from '@coding-plans/schemas'
import { billingScheduler } from './app.ts'
import { readConfig } from './config.ts'
import { SERVICE } from './handlers.ts'
import { createSurroundings } from './surroundings.ts'

const config = readConfig(process.env)
const surroundings = createSurroundings({
  cluster: clusterOf(config),
  // Nothing waits for who looks on.
  groups: services.filter((service) => service !== AUDITOR),
  serviceUrls: config.SERVICE_URLS,
  internalSecret: config.INTERNAL_SECRET,
})
const service = billingScheduler({ mode: config.CLOCK, surroundings, log: openLog(SERVICE, config.LOG_LEVEL) })
await runService({ ...service, environment: config })
