import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process, told apart from a later one that was given the same number. */
export interface ProcessMark {
  readonly pid: number
  readonly startedAt: string
}

const isGone = 'Z'
// Counted after the command's closing bracket, because a command may contain spaces: field 3 comes first.
const STATE = 0
const START_TIME = 19

const readLinux = (pid: number): string | null => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[STATE] === isGone) return null
  // Start times count from the boot, so the boot is part of the mark.
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[START_TIME]}`
}

const readElsewhere = (pid: number): string | null => {
  const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  return line === '' || line.startsWith(isGone) ? null : line.replace(/^\S+\s+/, '')
}

/** The mark of a running process, or null when there is none. */
export const markOf = (pid: number): ProcessMark | null => {
  try {
    const startedAt = process.platform === 'linux' ? readLinux(pid) : readElsewhere(pid)
    return startedAt === null ? null : { pid, startedAt }
  } catch {
    return null
  }
}

/** True while that very process runs. */
export const isRunning = (mark: ProcessMark) => markOf(mark.pid)?.startedAt === mark.startedAt

/** Wait until that very process is gone. @returns false when it still runs at the deadline. */
export const waitUntilGone = async (mark: ProcessMark, milliseconds: number) => {
  const deadline = Date.now() + milliseconds
  while (isRunning(mark)) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return true
}
