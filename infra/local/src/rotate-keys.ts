// npm run -s rotate-keys
import { Complaint, sentenceOf } from './complaint.ts'
import { loadEnvironment } from './environment.ts'
import { rotateKeys } from './rotation.ts'

try {
  const env = loadEnvironment()
  await rotateKeys(env.DATA_DIR || '.local', env, (line) => console.log(line))
} catch (error) {
  console.error(error instanceof Complaint ? error.message : sentenceOf(error))
  process.exitCode = 1
}
