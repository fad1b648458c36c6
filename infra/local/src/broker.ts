import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Complaint, sentenceOf } from './complaint.ts'
import { type Directory, writeWhole } from './directory.ts'
import { javaEnvironment, javaOptions } from './java.ts'
import { lastWord } from './last-word.ts'
import { type Child, type Log, supervise } from './processes.ts'
import { run } from './run.ts'
import { mostMessageBytes } from './topics.ts'

interface BrokerPorts {
  readonly clients: number
  readonly controller: number
  /** Where clients are sent; where they are served if absent. */
  readonly advertised?: number | undefined
}

/** One node that is broker and controller, reachable from this machine only. */
export const brokerSettings = (
  storage: string,
  { clients, controller, advertised = clients }: BrokerPorts,
): Record<string, string | number> => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.quorum.voters': `1@127.0.0.1:${controller}`,
  listeners: `BROKER://127.0.0.1:${clients},CONTROLLER://127.0.0.1:${controller}`,
  'advertised.listeners': `BROKER://127.0.0.1:${advertised}`,
  'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'BROKER',
  'controller.listener.names': 'CONTROLLER',
  'log.dirs': storage,
  'auto.create.topics.enable': 'false',
  'message.max.bytes': mostMessageBytes,
  'replica.fetch.max.bytes': mostMessageBytes,
  'log.segment.bytes': 64 * 1024 * 1024,
  // Each of several hundred partitions maps its index; the default reserves 10 MB apiece.
  'log.index.size.max.bytes': 1024 * 1024,
  // The default buffer of the cleaner alone is a third of this heap.
  'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  // After a kill the controller lets the broker back in when its old session has run out; the default is 9 s.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
  'offsets.topic.num.partitions': 8,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  // A group is complete as soon as its members are here, and a killed member is noticed soon.
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 3_000,
})

export const propertiesOf = (settings: Record<string, string | number>) =>
  `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`

interface Formatting {
  readonly java: string
  readonly classpath: string
  /** The file of properties. */
  readonly settings: string
  /** Users that are there from the first start, as the tool takes them. */
  readonly users?: readonly string[]
}

/** Kafka wants its storage marked with a cluster id before the first start. */
export const format = async ({ java, classpath, settings, users = [] }: Formatting) => {
  const id = randomBytes(16).toString('base64url')
  // One argument, not two: an id may begin with a dash.
  const tool = [
    '-cp',
    classpath,
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    `--cluster-id=${id}`,
    '-c',
    settings,
    ...users.flatMap((user) => ['--add-scram', user]),
  ]
  await run(java, [...javaOptions(128), ...tool], {
    env: javaEnvironment(),
  }).catch((error: unknown) => {
    throw new Complaint(`Kafka could not prepare its storage: ${lastWord(sentenceOf(error))}`)
  })
}

const API_VERSIONS = 18

/** Ask the broker which requests it serves, the one question every version answers; the port alone opens too early. */
export const askBroker = (port: number, host = '127.0.0.1') =>
  new Promise<void>((resolve, reject) => {
    // Length, api key, api version, correlation id, no client id.
    const question = Buffer.alloc(14)
    question.writeInt32BE(10, 0)
    question.writeInt16BE(API_VERSIONS, 4)
    question.writeInt16BE(-1, 12)
    const socket = connect({ host, port, timeout: 2_000 }, () => socket.write(question))
    const settle = (error?: Error) => {
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    socket.once('data', () => settle())
    socket.once('error', settle)
    socket.once('timeout', () => settle(new Error('the broker does not answer')))
    socket.once('close', () => settle(new Error('the broker hung up')))
  })

interface Needs {
  readonly directory: Directory
  readonly java: string
  readonly jars: string
  /** More options of the virtual machine. */
  readonly options: readonly string[]
  readonly log: Log
  readonly stopWithinMilliseconds?: number
  /** The port of a door before the broker, to which it sends its clients. */
  readonly advertisedPort?: number | undefined
}

/** Prepare Kafka in this data directory; `start` starts it. */
export const prepareBroker = async (needs: Needs): Promise<{ child: Child; address: string }> => {
  const { directory, java, jars, options, log, stopWithinMilliseconds } = needs
  const storage = join(directory.path, 'kafka')
  const settings = join(directory.path, 'kafka.properties')
  const classpath = join(jars, '*')
  const clients = await directory.port('kafka')
  mkdirSync(storage, { recursive: true })
  writeWhole(
    settings,
    propertiesOf(
      brokerSettings(storage, {
        clients,
        controller: await directory.port('kafka-controller'),
        advertised: needs.advertisedPort,
      }),
    ),
  )
  if (!existsSync(join(storage, 'meta.properties'))) await format({ java, classpath, settings })
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true']
  const child = supervise(
    directory.path,
    {
      name: 'kafka',
      command: java,
      arguments: [...javaOptions(384), ...options, ...logging, '-cp', classpath, 'kafka.Kafka', settings],
      environment: javaEnvironment(),
      attempts: 4,
      ...(stopWithinMilliseconds ? { stopWithinMilliseconds } : {}),
      ready: () => askBroker(clients),
    },
    log,
  )
  return { child, address: `127.0.0.1:${clients}` }
}
