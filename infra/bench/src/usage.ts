import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Servers, Stack } from '@coding-plans/local'
import pg from 'pg'
import type { DiskUse, ProcessUse } from './figure.ts'

/** What processes use of the machine, between two looks. */

const TICKS_PER_SECOND = 100

export interface Process {
  readonly name: string
  readonly pid: number | undefined
}

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

/** CPU seconds of one process; those of its buried children too, if asked. */
const cpuOf = (pid: number, buried: boolean) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, buried ? 15 : 13).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
}

/** A server that forks has its CPU in its children, and in those that it has buried. */
const familyCpuOf = (pid: number) =>
  childrenOf(pid).reduce(
    (sum, child) => {
      try {
        return sum + cpuOf(child, false)
      } catch {
        return sum // gone meanwhile
      }
    },
    cpuOf(pid, true),
  )

const peakMegabytesOf = (pid: number) =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)

export const serversOf = ({ broker, registry, postgres }: Servers): Process[] => [
  { name: 'kafka', pid: broker.pid },
  { name: 'registry', pid: registry.pid },
  { name: 'postgres', pid: postgres.pid },
]

export const processesOf = ({ services, servers }: Stack): Process[] => [
  ...services.map(({ service, pid }) => ({ name: service as string, pid })),
  ...serversOf(servers),
]

/** Where bytes are counted: the database server, and Kafka's directory. */
export interface Disks {
  readonly databaseUrl: string
  readonly kafkaDirectory: string
}

export interface Look {
  readonly cpuSeconds: readonly number[]
  readonly walBytes: number
  readonly databaseBytes: number
  readonly kafkaBytes: number
}

const bytesIn = (directory: string): number =>
  readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const place = join(directory, entry.name)
    try {
      // Blocks, not sizes: indexes are reserved beyond what is written.
      return sum + (entry.isDirectory() ? bytesIn(place) : statSync(place).blocks * 512)
    } catch {
      return sum
    }
  }, 0)

const databaseBytes = async (url: string) => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(
      `select pg_current_wal_lsn() - '0/0' as wal, (select sum(pg_database_size(oid)) from pg_database) as data`,
    )
    return { wal: Number(rows[0].wal), data: Number(rows[0].data) }
  } finally {
    await client.end()
  }
}

export const look = async (processes: readonly Process[], disks: Disks): Promise<Look> => {
  const { wal, data } = await databaseBytes(disks.databaseUrl)
  return {
    cpuSeconds: processes.map(({ pid }) => familyCpuOf(pid ?? process.pid)),
    walBytes: wal,
    databaseBytes: data,
    kafkaBytes: bytesIn(disks.kafkaDirectory),
  }
}

/** What each unit took, from one look to the other. */
export const between = (processes: readonly Process[], before: Look, after: Look, units: number) => {
  const cpu: ProcessUse[] = processes.map(({ name, pid }, n) => ({
    name,
    cpuPerUnit: (((after.cpuSeconds[n] ?? 0) - (before.cpuSeconds[n] ?? 0)) * 1000) / units,
    peakMegabytes: peakMegabytesOf(pid ?? process.pid),
  }))
  const disk: DiskUse[] = [
    { name: 'database', bytesPerUnit: (after.databaseBytes - before.databaseBytes) / units },
    { name: 'write-ahead log', bytesPerUnit: (after.walBytes - before.walBytes) / units },
    { name: 'kafka', bytesPerUnit: (after.kafkaBytes - before.kafkaBytes) / units },
  ]
  return { cpu, disk }
}
