import { connect, createServer, type Socket } from 'node:net'

/** What happens to a produce request: passed on; kept back; passed on, and its answer lost. */
export type ProduceMode = 'pass' | 'keep' | 'lose the answer'

const PRODUCE = 0
const LENGTH_BYTES = 4

/** A broker's door that can be shut for produce requests alone. The client reaches it by its socket factory. */
export const openKafkaProxy = async (broker: string) => {
  const [host = '127.0.0.1', port = '9092'] = broker.split(':')
  const sockets = new Set<Socket>()
  const state: { mode: ProduceMode; produced: number } = { mode: 'pass', produced: 0 }
  const server = createServer((client) => {
    const upstream = connect(Number(port), host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    let answersAreLost = false
    upstream.on('data', (data) => {
      if (!answersAreLost) client.write(data)
    })
    let pending = Buffer.alloc(0)
    client.on('data', (data) => {
      pending = Buffer.concat([pending, data])
      while (pending.length >= LENGTH_BYTES && pending.length >= LENGTH_BYTES + pending.readInt32BE(0)) {
        const frame = pending.subarray(0, LENGTH_BYTES + pending.readInt32BE(0))
        pending = pending.subarray(frame.length)
        const isProduce = frame.readInt16BE(LENGTH_BYTES) === PRODUCE
        if (isProduce) state.produced += 1
        if (isProduce && state.mode === 'keep') continue
        if (isProduce && state.mode === 'lose the answer') answersAreLost = true
        upstream.write(frame)
        // The request is on its way; the broker appends it although nobody hears the answer.
        if (answersAreLost) setTimeout(() => client.destroy(), 300)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: proxyPort } = server.address() as { port: number }
  return {
    port: proxyPort,
    state,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** For kafkajs: whatever broker it means, it meets the proxy. */
export const throughProxy =
  (port: number) =>
  ({ onConnect }: { onConnect: () => void }): Socket =>
    connect(port, '127.0.0.1', onConnect)
