// npm run -s token -- --user <id> [--role <role>]…
import { parseArgs } from 'node:util'
import { Complaint, sentenceOf } from './complaint.ts'
import { loadEnvironment } from './environment.ts'
import { readKept } from './secrets.ts'
import { signToken } from './sign-token.ts'

try {
  const { values } = parseArgs({ options: { user: { type: 'string' }, role: { type: 'string', multiple: true } } })
  if (!values.user) throw new Complaint('Say whom the token is for: npm run -s token -- --user <id> [--role <role>]…')
  const env = loadEnvironment()
  const directory = env.DATA_DIR || '.local'
  const secret = env.AUTH_JWT_SECRET || readKept(directory).AUTH_JWT_SECRET
  if (!secret)
    throw new Complaint(`There is no AUTH_JWT_SECRET yet, neither in the environment nor in ${directory}; start once.`)
  console.log(await signToken(secret, values.user, values.role ?? []))
} catch (error) {
  console.error(sentenceOf(error))
  process.exitCode = 1
}
