import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Bed } from '@coding-plans/local/bed'
import type { Figure } from '../figure.ts'
import { between, look } from '../usage.ts'
import { disksOf, end } from './ledger-process.ts'

interface Floor {
  readonly variant: 'baseline spread' | 'baseline hot'
  readonly accounts: number
  readonly seconds: number
}

/** The least that a debit can be, on the same server: one Node process, one transaction each, eight at once. */
export const measureFloor = async (bed: Bed, { variant, accounts, seconds }: Floor): Promise<Figure> => {
  const url = await bed.servers.createDatabase(variant.replaceAll(' ', '_'))
  const child = fork(join(import.meta.dirname, 'ledger-floor.ts'), {
    env: { PATH: process.env.PATH, DATABASE_URL: url, ACCOUNTS: String(accounts), SECONDS: String(seconds) },
  })
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`The baseline ended with ${code}.`)
  })
  const told = async () => {
    const told = once(child, 'message')
    const [message] = await Promise.race([told, ended.then(() => [])])
    return message
  }
  try {
    await told()
    const processes = [
      { name: 'debits', pid: child.pid },
      { name: 'postgres', pid: bed.servers.postgres.pid },
    ]
    const before = await look(processes, disksOf(bed))
    child.send('go')
    const measured: { debits: number; seconds: number } = await told()
    const after = await look(processes, disksOf(bed))
    const uses = between(processes, before, after, measured.debits)
    child.disconnect()
    await ended
    return {
      ...{ workload: 'ledger', variant, unit: 'debits', units: measured.debits, seconds: measured.seconds },
      perSecond: measured.debits / measured.seconds,
      ...uses,
      disk: uses.disk.filter(({ name }) => name !== 'kafka'),
    }
  } finally {
    ended.catch(() => {})
    await end(child)
  }
}
