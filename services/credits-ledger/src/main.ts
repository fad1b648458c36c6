import { readEnvironment, runService, serviceEnvironment } from '@coding-plans/runtime'
import { handler, SERVICE } from './handlers.ts'

await runService({ service: SERVICE, handler, environment: readEnvironment(process.env, serviceEnvironment) })
