import { Complaint } from './complaint.ts'
import type { Child, Log } from './processes.ts'

type Kind = 'server' | 'service'

/** All that one launcher runs, so that it can be stopped whatever happens, also half-way through a start. */
export interface Crew {
  /** @returns when the child is ready. */
  readonly start: (child: Child, kind: Kind) => Promise<Child>
  /** The services first, as long as what they stand on is there. */
  readonly stop: () => Promise<void>
}

export const openCrew = (log: Log): Crew => {
  const crew: Record<Kind, Child[]> = { server: [], service: [] }
  let open = true
  let stopping: Promise<void> | undefined
  const stopAll = async () => {
    await Promise.all(crew.service.map((child) => child.stop()))
    await Promise.all(crew.server.map((child) => child.stop()))
  }
  return {
    start: async (child, kind) => {
      if (!open) throw new Complaint(`${child.name} was not started, because all is being stopped.`)
      crew[kind].push(child)
      const since = performance.now()
      await child.start()
      log(`${child.name} is ready (${((performance.now() - since) / 1000).toFixed(1)} s)`)
      return child
    },
    stop: () => {
      open = false
      stopping ??= stopAll()
      return stopping
    },
  }
}
