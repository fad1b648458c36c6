import { runService } from '@coding-plans/runtime'
import { keyInventory } from './app.ts'
import { readConfig } from './config.ts'

const config = readConfig(process.env)
await runService({ ...(await keyInventory(config)), environment: config })
