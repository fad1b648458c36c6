import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint, codeOf } from './complaint.ts'
import { isRunning, markOf, type ProcessMark } from './process-mark.ts'

let attempt = 0

const read = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

const holderOf = (text: string | null): ProcessMark | null => {
  try {
    return JSON.parse(text ?? '') as ProcessMark
  } catch {
    return null
  }
}

/** Take a data directory for this process. @returns what gives it back. @throws Complaint when a running process has it. */
export const lockDirectory = (directory: string): (() => void) =>
  takeLock(
    join(directory, 'lock'),
    ({ pid }) => `The data directory ${directory} is in use by process ${pid}; stop it, or choose another DATA_DIR.`,
  )

/**
 * Take what a file stands for. A lock whose holder is gone is taken over.
 * @returns what gives it back.
 * @throws Complaint, in these words, when a running process has it.
 */
export const takeLock = (path: string, taken: (holder: ProcessMark) => string): (() => void) => {
  attempt += 1
  const mine = JSON.stringify({ ...markOf(process.pid), attempt })
  const candidate = `${path}.${process.pid}.${attempt}`
  writeFileSync(candidate, mine)
  try {
    for (;;) {
      try {
        // Linking is the one step that both creates the lock whole and fails when there is one.
        linkSync(candidate, path)
        return () => {
          if (read(path) === mine) rmSync(path, { force: true })
        }
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
      const found = read(path)
      const holder = holderOf(found)
      if (holder && isRunning(holder)) throw new Complaint(taken(holder))
      putAside(path, found)
    }
  } finally {
    rmSync(candidate, { force: true })
  }
}

/** Move a dead holder's lock away; if another launcher was quicker and it is its fresh one, give it back. */
const putAside = (path: string, expected: string | null) => {
  const aside = `${path}.${process.pid}.${attempt}.old`
  try {
    renameSync(path, aside)
    if (read(aside) !== expected) linkSync(aside, path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}
