import { runService } from '@coding-plans/runtime'
import { readConfig } from './config.ts'
import { handler, SERVICE } from './handlers.ts'
import { fakePayments, paymentCalls } from './payments.ts'

const environment = readConfig(process.env)
const calls = paymentCalls(fakePayments(environment.FAKE_PAYMENTS_URL))
await runService({ service: SERVICE, handler: { ...handler, calls }, environment })
