import { createServer } from 'node:net'
import { Complaint, codeOf } from './complaint.ts'

// Below the range from which systems take ports for outgoing connections. A server that restarts on a port from that
// range may find it taken by somebody's outgoing connection, or a client that retries may be connected to itself.
const FIRST = 20_000
const LAST = 32_000

const given = new Set<number>()

/** Listen for a moment. @throws the system's error when that is impossible. */
const tryPort = (host: string, port: number) =>
  new Promise<void>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()))
  })

export const isFree = (port: number, host = '127.0.0.1') =>
  tryPort(host, port).then(
    () => true,
    () => false,
  )

/** A free port of this machine, never the same one twice from one process. */
export const pickPort = async (): Promise<number> => {
  for (let tries = 0; tries < 500; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
  throw new Complaint(`No free port was found between ${FIRST} and ${LAST}.`)
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'cannot be used: the host is not an address of this machine',
  ENOTFOUND: 'cannot be used: the host is not known',
}

/** From here on it is given to nobody else. @throws Complaint when the gateway could not listen there. */
export const checkPort = async (host: string, port: number) => {
  given.add(port)
  await tryPort(host, port).catch((error: unknown) => {
    throw new Complaint(
      `PORT ${port} on ${host} ${reasons[codeOf(error) ?? ''] ?? 'cannot be used'}; set PORT to a free one.`,
    )
  })
}
