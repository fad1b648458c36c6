import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isRunning, type ProcessMark, waitUntilGone } from './process-mark.ts'
import type { Log } from './processes.ts'

interface PidRecord extends ProcessMark {
  readonly stopSignal: NodeJS.Signals
}

const PATIENCE_MILLISECONDS = 5_000

const readRecords = (directory: string): { path: string; record: PidRecord | null }[] => {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return []
  }
  return names.map((name) => {
    const path = join(directory, name)
    try {
      return { path, record: JSON.parse(readFileSync(path, 'utf8')) as PidRecord }
    } catch {
      return { path, record: null }
    }
  })
}

const end = async (record: PidRecord) => {
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(record.pid, signal)
    } catch {
      // It ended by itself in the meantime.
    }
  }
  send(record.stopSignal)
  if (await waitUntilGone(record, PATIENCE_MILLISECONDS)) return
  send('SIGKILL')
  await waitUntilGone(record, PATIENCE_MILLISECONDS)
}

/**
 * End what an earlier launcher on this data directory left running, say after a `kill -9`.
 * A number that meanwhile belongs to another process is left alone. Call it under the directory's lock.
 */
export const endOrphans = async (directory: string, log: Log): Promise<void> => {
  const found = readRecords(join(directory, 'run'))
  const orphans = found.flatMap(({ record }) => (record && isRunning(record) ? [record] : []))
  if (orphans.length > 0) log(`ending ${orphans.length} processes that an earlier start left behind`)
  await Promise.all(orphans.map(end))
  for (const { path } of found) rmSync(path, { force: true })
}
