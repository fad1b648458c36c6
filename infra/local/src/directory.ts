import { existsSync, mkdirSync, readFileSync, renameSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Complaint, codeOf, sentenceOf } from './complaint.ts'
import { lockDirectory } from './lock.ts'
import { isFree, pickPort } from './ports.ts'

export type ClockMode = 'system' | 'test'

export interface State {
  readonly clock?: ClockMode
  readonly ports?: Readonly<Record<string, number>>
  /** How many processes of every service run, when any do. */
  readonly instances?: number
}

/** A data directory that this process holds. */
export interface Directory {
  readonly path: string
  readonly state: () => State
  readonly remember: (news: Partial<State>) => void
  /** The port this name had the last time if it is free, else a new one that is remembered. */
  readonly port: (name: string) => Promise<number>
  readonly release: () => void
}

const LEAST_FREE_BYTES = 512 * 1024 * 1024

/** Write a file so that a crash leaves the old one or the new one, never half of it. */
export const writeWhole = (path: string, text: string, mode = 0o644) => {
  writeFileSync(`${path}.new`, text, { mode, flush: true })
  renameSync(`${path}.new`, path)
}

/** @throws Complaint when the disk under `path` has less than half a gigabyte left. */
export const checkSpace = (path: string) => {
  const { bavail, bsize } = statfsSync(path)
  if (bavail * bsize < LEAST_FREE_BYTES)
    throw new Complaint(
      `The disk that holds ${path} has ${Math.floor((bavail * bsize) / 1024 / 1024)} MB left; at least ${LEAST_FREE_BYTES / 1024 / 1024} MB are needed.`,
    )
}

const make = (path: string) => {
  try {
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, '.writable'), '')
  } catch (error) {
    const why = codeOf(error) === 'ENOSPC' ? 'the disk is full' : sentenceOf(error)
    throw new Complaint(`The data directory ${path} cannot be written: ${why}.`)
  }
}

const readState = (path: string): State => {
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as State
  } catch {
    throw new Complaint(`${path} cannot be read as JSON; mend it, or choose another DATA_DIR.`)
  }
}

/**
 * Open and lock a data directory, making it when it is missing.
 * @throws Complaint when it is in use, cannot be written, is on a full disk, or has a name the servers cannot take.
 */
export const openDirectory = (given: string): Directory => {
  const path = resolve(given)
  // Kafka separates its directories by commas, the registry's database its settings by semicolons.
  if (/[,;\\\n]/.test(path))
    throw new Complaint(`The data directory ${JSON.stringify(path)} may not contain a comma, semicolon or backslash.`)
  make(path)
  checkSpace(dirname(join(path, 'state.json')))
  const release = lockDirectory(path)
  const file = join(path, 'state.json')
  try {
    let state = readState(file)
    const remember = (news: Partial<State>) => {
      state = { ...state, ...news }
      writeWhole(file, `${JSON.stringify(state, null, 2)}\n`)
    }
    const port = async (name: string) => {
      const last = state.ports?.[name]
      if (last && (await isFree(last))) return last
      const fresh = await pickPort()
      remember({ ports: { ...state.ports, [name]: fresh } })
      return fresh
    }
    return { path, state: () => state, remember, port, release }
  } catch (error) {
    release()
    throw error
  }
}

/** A data directory keeps the clock mode it began with. @throws Complaint when another is asked for. */
export const settleClock = (directory: Directory, asked: ClockMode) => {
  const { clock } = directory.state()
  if (clock === undefined) directory.remember({ clock: asked })
  else if (clock !== asked)
    throw new Complaint(
      `The data directory ${directory.path} began with CLOCK=${clock} and cannot go on with CLOCK=${asked}; choose another DATA_DIR.`,
    )
}
