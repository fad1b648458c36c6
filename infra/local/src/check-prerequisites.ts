// Run by `npm test` before anything else: one sentence about what is missing, instead of a hundred failed tests.
import { sentenceOf } from './complaint.ts'
import { findJars } from './download.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { checkMaven, findJava } from './prerequisites.ts'

try {
  await findJava()
  if (!findJars()) await checkMaven()
  await postgresBinaries()
} catch (error) {
  console.error(sentenceOf(error))
  process.exitCode = 1
}
