import { openLog, runService } from '@coding-plans/runtime'
import { billingScheduler } from './app.ts'
import { readConfig } from './config.ts'
import { SERVICE } from './handlers.ts'
import { createSurroundings } from './surroundings.ts'

const config = readConfig(process.env)
const surroundings = createSurroundings({
  brokers: config.KAFKA_BROKERS,
  serviceUrls: config.SERVICE_URLS,
  internalSecret: config.INTERNAL_SECRET,
})
await runService(billingScheduler(config, surroundings, openLog(SERVICE, config.LOG_LEVEL)))
