import { setPriority } from 'node:os'
import { runService } from '@coding-plans/runtime'
import { auditor } from './app.ts'
import { readConfig } from './config.ts'

// Whoever sells goes first.
setPriority(10)
const config = readConfig(process.env)
await runService({ ...auditor(config), environment: config })
