import { runService } from '@coding-plans/runtime'
import { subscriptionService } from './app.ts'
import { readConfig } from './config.ts'

const { environment, prices } = readConfig(process.env)
await runService({ ...subscriptionService(prices), environment })
