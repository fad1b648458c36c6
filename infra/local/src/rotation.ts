import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint, codeOf } from './complaint.ts'
import { isRunning, type ProcessMark, waitUntilGone } from './process-mark.ts'
import { type Log, pause } from './processes.ts'
import { readKept } from './secrets.ts'
import { readVaultKeys, type Stage, stageOf, takeStep } from './vault-keys.ts'

const INVENTORY = /^key-inventory(?:-(\d+))?\.json$/
/** As for a first start. */
const BACK_WITHIN_MILLISECONDS = 120_000
const LOOK_EVERY_MILLISECONDS = 250

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
  readonly file: string
  readonly url: string
}

const instancesIn = (directory: string): Instance[] => {
  const ports = readJson<{ ports?: Record<string, number> }>(directory, 'state.json')?.ports ?? {}
  const launcher = readJson<ProcessMark>(directory, 'lock')
  if (!launcher || !isRunning(launcher)) return []
  return readdirSync(join(directory, 'run')).flatMap((file) => {
    const [found, number = '1'] = INVENTORY.exec(file) ?? []
    return found
      ? [{ file: join(directory, 'run', file), url: `http://127.0.0.1:${ports[`key-inventory-${number}`]}` }]
      : []
  })
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
  throw new Complaint('The key inventory did not come back; its log says why. Run this again to go on.')
}

interface Lying {
  readonly role: string
  readonly records: number
}

/** What an instance says of its keys: how many records lie under those that are not the present one. */
const lyingAt = async ({ url }: Instance): Promise<Lying[]> => {
  const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })
  const lines = (await answer.text()).matchAll(/^vault_records\{.*role="(\w+)".*\} (\d+)$/gm)
  return [...lines].map(([, role = '', records]) => ({ role, records: Number(records) }))
}

/** What an instance shows that has come to a stage. */
const shows: Record<Stage, (roles: readonly string[]) => boolean> = {
  introduced: (roles) => roles.includes('next'),
  turned: (roles) => roles.includes('previous') && !roles.includes('next'),
  settled: (roles) => roles.length === 0,
}

const sentences: Record<Stage, string> = {
  introduced: 'every instance knows the new key, and none wraps with it yet',
  turned: 'every instance wraps with the new key; what lies under the old one is wrapped anew',
  settled: 'the old key is gone',
}

/** Bring every instance to the stage of the keys that are kept, one after the other. */
const bringAll = async (directory: string, instances: readonly Instance[], stage: Stage) => {
  for (const instance of instances) {
    await restart(directory, instance)
    if (!shows[stage]((await lyingAt(instance)).map(({ role }) => role)))
      throw new Complaint(
        'The key inventory runs with other keys than those kept here; is its VAULT_KEY set elsewhere?',
      )
  }
}

/** Wait until nothing lies under a previous key, and tell how far it is. */
const untilRewrapped = async (directory: string, instance: Instance, log: Log) => {
  for (let last: number | null = null; ; await pause(LOOK_EVERY_MILLISECONDS)) {
    launcherStays(directory)
    const lying = await lyingAt(instance).catch(() => null)
    if (!lying) continue
    const left = lying.reduce((sum, { records }) => sum + records, 0)
    if (left !== last) log(`${left} records lie under the old key`)
    if (left === 0) return
    last = left
  }
}

/**
 * Change the vault's key of a running stack (VLT-1), or go on with a change that was cut off: then too every instance comes
 * to where the kept keys are before they take their next step, so that none ever meets a record that it cannot open.
 * @throws Complaint when no stack runs here, or its VAULT_KEY is not kept here.
 */
export const rotateKeys = async (directory: string, env: NodeJS.ProcessEnv, log: Log): Promise<void> => {
  if (env.VAULT_KEY || !readKept(directory).VAULT_KEY)
    throw new Complaint(
      'VAULT_KEY is not kept here: change it where your environment is made (services/key-inventory).',
    )
  const instances = instancesIn(directory)
  const [first] = instances
  if (!first) throw new Complaint(`No stack runs on ${directory}; start it first (npm start).`)
  const stage = () => stageOf(readVaultKeys({}, directory))
  if (stage() === 'settled') takeStep(directory)
  for (;;) {
    await bringAll(directory, instances, stage())
    log(sentences[stage()])
    if (stage() === 'settled') return
    if (stage() === 'turned') await untilRewrapped(directory, first, log)
    takeStep(directory)
  }
}
