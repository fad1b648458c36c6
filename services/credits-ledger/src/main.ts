import { runService } from '@coding-plans/runtime'
import { creditsLedger } from './app.ts'
import { readConfig } from './config.ts'

const config = readConfig(process.env)
await runService({ ...(await creditsLedger(config)), environment: config })
