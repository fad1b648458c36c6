import { connect, createServer, type Socket } from 'node:net'

/**
 * What happens to connections: all pass; nobody comes in and who is in is thrown out; everything stays open and nothing
 * gets through, as when a cable is pulled.
 */
type Passage = 'open' | 'shut' | 'silent'

/** A plain TCP proxy before a server: it knows no protocol. */
export interface Door {
  readonly port: number
  /** Where the server listens; known only when it runs. */
  leadTo(port: number): void
  set(passage: Passage): void
  /** Hang up on those that `falls` picks. @returns how many connections that were. */
  cut(falls: () => boolean): number
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

export const openDoor = async (): Promise<Door> => {
  const pairs = new Set<Pair>()
  let passage: Passage = 'open'
  let target = 0

  const hangUp = (pair: Pair) => {
    pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }
  const letPass = ({ client, server }: Pair) => {
    client.pipe(server)
    server.pipe(client)
  }
  const keepBack = ({ client, server }: Pair) => {
    client.unpipe(server)
    server.unpipe(client)
    // Unheard, not lost: what was sent arrives when the cable is plugged in again.
    client.pause()
    server.pause()
  }

  const listener = createServer((client) => {
    if (passage === 'shut') return client.destroy()
    const pair: Pair = { client, server: connect(target, '127.0.0.1') }
    pairs.add(pair)
    for (const socket of [pair.client, pair.server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => hangUp(pair))
    }
    if (passage === 'open') letPass(pair)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))

  const cut = (falls: () => boolean) => {
    const fallen = [...pairs].filter(falls)
    for (const pair of fallen) hangUp(pair)
    return fallen.length
  }
  return {
    port: (listener.address() as { port: number }).port,
    leadTo: (port) => {
      target = port
    },
    set: (next) => {
      if (passage === next) return
      if (next === 'shut') cut(() => true)
      for (const pair of pairs) if (next === 'silent') keepBack(pair)
      if (passage === 'silent' && next === 'open') for (const pair of pairs) letPass(pair)
      passage = next
    },
    cut,
    close: async () => {
      cut(() => true)
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
