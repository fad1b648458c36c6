import { homedir } from 'node:os'
import { join } from 'node:path'

/** For what can be made again. Outside every data directory, so that throwing one away costs no download. */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env) =>
  env.CODING_PLANS_CACHE_DIR ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coding-plans')
