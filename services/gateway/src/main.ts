import { runService } from '@coding-plans/runtime'
import { readConfig } from './config.ts'
import { gateway } from './gateway.ts'

const config = readConfig(process.env)
await runService({ ...gateway(config), environment: config })
