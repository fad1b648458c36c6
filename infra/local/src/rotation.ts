import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint, codeOf } from './complaint.ts'
import type { State } from './directory.ts'
import { takeLock } from './lock.ts'
import { isRunning, type ProcessMark, waitUntilGone } from './process-mark.ts'
import { type Log, pause } from './processes.ts'
import { readKept } from './secrets.ts'
import { nameOf } from './services.ts'
import { type Stage, stageIn, takeStep } from './vault-keys.ts'

/** As for a first start. */
const BACK_WITHIN_MILLISECONDS = 120_000
const LOOK_EVERY_MILLISECONDS = 250
const NOT_BACK = 'The key inventory did not come back; its log says why. Run this again to go on.'

const readJson = <T>(...path: string[]): T | null => {
  try {
    return JSON.parse(readFileSync(join(...path), 'utf8')) as T
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** An instance of the inventory, under the launcher that holds the data directory. */
interface Instance {
  /** Its mark; there is none between two of its lives. */
  readonly file: string
  readonly url: string
}

const instancesIn = (directory: string): Instance[] => {
  const { ports = {}, instances = 1 } = readJson<State>(directory, 'state.json') ?? {}
  const launcher = readJson<ProcessMark>(directory, 'lock')
  if (!launcher || !isRunning(launcher)) return []
  return Array.from({ length: instances }, (_, before) => ({
    file: join(directory, 'run', `${nameOf('key-inventory', before + 1, instances)}.json`),
    url: `http://127.0.0.1:${ports[`key-inventory-${before + 1}`]}`,
  }))
}

const launcherStays = (directory: string) => {
  const launcher = readJson<ProcessMark>(directory, 'lock')
  if (!launcher || !isRunning(launcher))
    throw new Complaint('The stack was stopped; start it, and run this again: it goes on where it was.')
}

/** End an instance, and wait until the launcher has brought it back with the keys as they are now. */
const restart = async (directory: string, { file, url }: Instance) => {
  const before = readJson<ProcessMark>(file)
  if (before && isRunning(before)) process.kill(before.pid, 'SIGTERM')
  if (before) await waitUntilGone(before, BACK_WITHIN_MILLISECONDS)
  for (const until = Date.now() + BACK_WITHIN_MILLISECONDS; Date.now() < until; await pause(LOOK_EVERY_MILLISECONDS)) {
    launcherStays(directory)
    const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null)
    await ready?.body?.cancel()
    if (ready?.ok) return
  }
  throw new Complaint(NOT_BACK)
}

interface Lying {
  readonly role: string
  readonly records: number
}

/**
 * How many records lie under those keys that are not the present one.
 * @param metrics of an instance that may just be starting: then it does not know yet, which is not none.
 * @throws Error when it does not tell
 */
export const lyingIn = (metrics: string): Lying[] => {
  if (!/^# TYPE vault_records /m.test(metrics)) throw new Error('It does not tell yet where its records lie.')
  const lines = metrics.matchAll(/^vault_records\{.*role="(\w+)".*\} (\d+)$/gm)
  return [...lines].map(([, role = '', records]) => ({ role, records: Number(records) }))
}

const lyingAt = async ({ url }: Instance): Promise<Lying[]> => {
  const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`/metrics answers ${answer.status}.`)
  return lyingIn(text)
}

/** Whether what an instance tells is of somebody who has come to a stage. */
const shows = (stage: Stage, lying: readonly Lying[] | null): boolean => {
  const roles = lying?.map(({ role }) => role)
  if (!roles) return false
  if (stage === 'introduced') return roles.includes('next')
  if (stage === 'turned') return roles.includes('previous') && !roles.includes('next')
  return roles.length === 0
}

const sentences: Record<Exclude<Stage, 'settled'>, string> = {
  introduced: 'every instance knows the new key, and none wraps with it yet',
  turned: 'every instance wraps with the new key; what lies under the old one is wrapped anew',
  dropped: 'the old key is gone',
}

/** Who was just being started when the keys changed may have the old ones still. */
const MOST_RESTARTS = 3

/** Bring every instance to the stage of the keys that are kept, one after the other. */
const bringAll = async (directory: string, instances: readonly Instance[], stage: Stage) => {
  for (const instance of instances)
    for (let restarts = 1; ; restarts += 1) {
      await restart(directory, instance)
      if (shows(stage, await lyingAt(instance).catch(() => null))) break
      if (restarts === MOST_RESTARTS)
        throw new Complaint(
          'The key inventory runs with other keys than those kept here; is its VAULT_KEY set elsewhere?',
        )
    }
}

/** Wait until all say that nothing lies under a previous key, and tell how far it is. */
const untilRewrapped = async (directory: string, instances: readonly Instance[], log: Log) => {
  let last: number | null = null
  for (let until = Date.now() + BACK_WITHIN_MILLISECONDS; Date.now() < until; await pause(LOOK_EVERY_MILLISECONDS)) {
    launcherStays(directory)
    const all = await Promise.all(instances.map((instance) => lyingAt(instance).catch(() => null)))
    if (!all.every((lying) => shows('turned', lying))) continue
    until = Date.now() + BACK_WITHIN_MILLISECONDS
    const left = Math.max(...all.map((lying) => (lying ?? []).reduce((sum, { records }) => sum + records, 0)))
    if (left !== last) log(`${left} records lie under the old key`)
    if (left === 0) return
    last = left
  }
  throw new Complaint(NOT_BACK)
}

/**
 * Change the vault's key of a running stack (VLT-1), or go on with a change that was cut off: then too every instance comes
 * to where the kept keys are before they take their next step, so that none ever meets a record that it cannot open.
 * @throws Complaint when no stack runs here, its VAULT_KEY is not kept here, or somebody else is at it.
 */
export const rotateKeys = async (directory: string, env: NodeJS.ProcessEnv, log: Log): Promise<void> => {
  if (env.VAULT_KEY || !readKept(directory).VAULT_KEY)
    throw new Complaint(
      'VAULT_KEY is not kept here: change it where your environment is made (services/key-inventory).',
    )
  const instances = instancesIn(directory)
  if (instances.length === 0) throw new Complaint(`No stack runs on ${directory}; start it first (npm start).`)
  const release = takeLock(join(directory, 'rotation'), ({ pid }) => `The keys are being changed by process ${pid}.`)
  try {
    if (stageIn(directory) === 'settled') takeStep(directory)
    for (let stage = stageIn(directory); stage !== 'settled'; stage = stageIn(directory)) {
      await bringAll(directory, instances, stage)
      log(sentences[stage])
      if (stage === 'turned') await untilRewrapped(directory, instances, log)
      takeStep(directory)
    }
  } finally {
    release()
  }
}
