import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { askCluster, kafkaPasswordOf, readCluster } from '@coding-plans/runtime'
import { services } from '@coding-plans/schemas'
import pg from 'pg'
import { brokerSettings, format, propertiesOf } from './broker.ts'
import { type Authority, joined, openAuthority } from './certificates.testing.ts'
import { findClassArchives } from './class-archives.ts'
import { openCrew } from './crew.ts'
import { openDirectory } from './directory.ts'
import { fetchJars } from './download.ts'
import { javaEnvironment, javaOptions } from './java.ts'
import { preparePostgres } from './postgres.ts'
import { findJava } from './prerequisites.ts'
import { supervise } from './processes.ts'
import { prepareRegistry } from './registry.ts'

/** Who provisions; the passwords are of no worth beyond a test. */
export const PROVISIONER = 'provisioner'
/** May do nothing until it is allowed. */
export const INSTALLER = 'installer'
export const passwordOf = (user: string) => `password-of-${user}`

const scram = (user: string) => `SCRAM-SHA-512=[name=${user},password=${passwordOf(user)}]`
const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${PROVISIONER}" password="${passwordOf(PROVISIONER)}";`

/** Kafka that speaks TLS alone, knows its users, and lets nobody do what is not allowed. */
const securedSettings = (authority: Authority, keystore: string) => ({
  'listener.security.protocol.map': 'BROKER:SASL_SSL,CONTROLLER:PLAINTEXT',
  'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
  'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
  'listener.name.broker.scram-sha-512.sasl.jaas.config': login,
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': keystore,
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': authority.ca,
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // The controller's own port is a matter between the broker and itself.
  'super.users': `User:${PROVISIONER};User:ANONYMOUS`,
})

/** The server asks for TLS, and takes nobody without. Its files belong to the account that it runs as: it writes them itself. */
const securePostgres = async (url: string, { certificate, key }: Authority) => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const write = (file: string, text: string) =>
    client.query(
      `copy (select unnest(array[${text
        .trim()
        .split('\n')
        .map((line) => pg.escapeLiteral(line))
        .join(',')}])) to program 'umask 077 && cat > ${file}'`,
    )
  try {
    await write('server.crt', readFileSync(certificate, 'utf8'))
    await write('server.key', readFileSync(key, 'utf8'))
    await write('pg_hba.conf', 'hostssl all all 127.0.0.1/32 scram-sha-256')
    await client.query('alter system set ssl = on')
    await client.query('select pg_reload_conf()')
  } finally {
    await client.end()
  }
}

/** TLS in front of a server that has none. */
const openFront = async (target: URL, { certificate, key }: Authority): Promise<{ server: Server; port: number }> => {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (socket) => {
    const inner = connect(Number(target.port), target.hostname)
    socket.pipe(inner).pipe(socket)
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const)
      one.on('error', () => other.destroy())
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}

/** Servers as somebody else would run them: TLS everywhere, users, and an authorizer. `env` is how one gets in. */
export const startSecuredServers = async (path: string) => {
  const log = () => {}
  const directory = openDirectory(path)
  const crew = openCrew(log)
  const authority = await openAuthority(path, 'authority')
  let front: Server | undefined
  const stop = async () => {
    front?.close()
    await crew.stop()
    directory.release()
  }
  const envOf = (brokers: string): NodeJS.ProcessEnv => ({
    KAFKA_BROKERS: brokers,
    KAFKA_TLS_CA: authority.ca,
    KAFKA_SASL_USERNAME: PROVISIONER,
    KAFKA_SASL_PASSWORD: passwordOf(PROVISIONER),
  })
  const startBroker = async () => {
    const java = await findJava()
    const jars = await fetchJars(log)
    const archives = await findClassArchives({ java, jars, log })
    const [storage, keystore, settings] = ['kafka', 'keystore.pem', 'kafka.properties'].map((name) =>
      join(path, name),
    ) as [string, string, string]
    mkdirSync(storage)
    writeFileSync(keystore, joined(authority), { mode: 0o600 })
    const ports = { clients: await directory.port('kafka'), controller: await directory.port('kafka-controller') }
    const all = { ...brokerSettings(storage, ports), ...securedSettings(authority, keystore) }
    writeFileSync(settings, propertiesOf(all), { mode: 0o600 })
    const classpath = join(jars.kafka, '*')
    await format({ java: java.command, classpath, settings, users: [PROVISIONER, INSTALLER, ...services].map(scram) })
    const broker = supervise(
      path,
      {
        name: 'kafka',
        command: java.command,
        arguments: [...javaOptions(384), ...archives.kafka, '-cp', classpath, 'kafka.Kafka', settings],
        environment: javaEnvironment(),
        // The controller's port opens long before that for users.
        ready: () => askCluster(readCluster(envOf(`127.0.0.1:${ports.clients}`))),
      },
      log,
    )
    const needs = { directory, java: java.command, jars: jars.registry, options: archives.registry, log }
    const registry = await prepareRegistry(needs)
    await Promise.all([crew.start(broker, 'server'), crew.start(registry.child, 'server')])
    const { server, port } = await openFront(new URL(registry.url), authority)
    front = server
    const registryUrl = new URL(registry.url)
    registryUrl.protocol = 'https:'
    registryUrl.port = String(port)
    return { brokers: `127.0.0.1:${ports.clients}`, registryUrl: `https://127.0.0.1:${port}${registryUrl.pathname}` }
  }
  const startPostgres = async () => {
    const { child, url } = await preparePostgres(directory, log)
    await crew.start(child, 'server')
    await securePostgres(url, authority)
    return url
  }
  try {
    const [kafka, plainUrl] = await Promise.all([startBroker(), startPostgres()])
    const databaseUrl = `${plainUrl}?sslmode=verify-full&sslrootcert=${authority.ca}`
    const users = services.map((service) => [kafkaPasswordOf(service), passwordOf(service)])
    const env: NodeJS.ProcessEnv = {
      ...envOf(kafka.brokers),
      ...Object.fromEntries(users),
      SCHEMA_REGISTRY_URL: kafka.registryUrl,
      SCHEMA_REGISTRY_TLS_CA: authority.ca,
      DATABASE_URL: databaseUrl,
    }
    return { env, plainUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
