import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { withSecretFiles } from '@coding-plans/runtime'
import { Complaint } from './complaint.ts'

/** The environment of this process over what a `.env` file here says, and the secrets that either names files of. @throws Complaint */
export const loadEnvironment = (path = '.env'): NodeJS.ProcessEnv => {
  const env = { ...(existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}), ...process.env }
  try {
    return withSecretFiles(env)
  } catch (error) {
    throw new Complaint((error as Error).message)
  }
}
