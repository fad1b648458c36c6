import { readFileSync } from 'node:fs'
import type { Child } from '@coding-plans/local'
import { pause } from '@coding-plans/runtime'
import type { Random } from '@coding-plans/simulator/random'
import type { Fault, ServiceTarget } from './faults.ts'
import type { ServerName, Site } from './site.ts'

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

const signal = (pid: number, name: NodeJS.Signals) => {
  try {
    process.kill(pid, name)
  } catch {
    // Gone by itself meanwhile.
  }
}

/** A server with all its children, as a machine that loses power takes them: nobody has time to tidy up. */
const killFamily = (pid: number) => {
  const family = [pid, ...childrenOf(pid)]
  for (const one of family) signal(one, 'SIGKILL')
}

const processOf = ({ stack }: Site, { service, instance }: ServiceTarget): Child =>
  stack.services.find((one) => one.service === service && one.instance === instance) as Child

const standStill = async (child: Child, milliseconds: number) => {
  const { pid } = child
  if (pid === undefined) return false
  const family = [pid, ...(child.name === 'postgres' ? childrenOf(pid) : [])]
  for (const one of family) signal(one, 'SIGSTOP')
  await pause(milliseconds)
  for (const one of family) signal(one, 'SIGCONT')
  return true
}

const shutDoor = async ({ doors }: Site, target: ServerName, how: 'shut' | 'silent', milliseconds: number) => {
  doors[target].set(how)
  await pause(milliseconds)
  doors[target].set('open')
  return true
}

const kill = (child: Child, how: NodeJS.Signals) => {
  if (child.pid === undefined) return false
  if (child.name === 'postgres' && how === 'SIGKILL') killFamily(child.pid)
  else child.kill(how)
  return true
}

/**
 * Let it happen, until what broke it is over: the process gone, awake again, the door open.
 * @returns whether it met anybody: who is on its way back from another blow, it misses.
 */
export const strike = async (site: Site, fault: Fault, random: Random): Promise<boolean> => {
  switch (fault.kind) {
    case 'kill a service':
      return kill(processOf(site, fault.target), 'SIGKILL')
    case 'kill a server':
      return kill(site.servers[fault.target], fault.how)
    case 'pause a service':
      return standStill(processOf(site, fault.target), fault.milliseconds)
    case 'pause a server':
      return standStill(site.servers[fault.target], fault.milliseconds)
    case 'cut connections':
      return site.doors[fault.target].cut(() => random.chance(fault.share)) > 0
    case 'shut a door':
      return shutDoor(site, fault.target, 'shut', fault.milliseconds)
    case 'pull a cable':
      return shutDoor(site, fault.target, 'silent', fault.milliseconds)
  }
}
