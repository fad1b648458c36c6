import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** The environment of this process over what a `.env` file here says. */
export const loadEnvironment = (path = '.env'): NodeJS.ProcessEnv => ({
  ...(existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}),
  ...process.env,
})
