import { join } from 'node:path'
import { callRegistry, type RegistryAddress } from '@coding-plans/runtime'
import type { Directory } from './directory.ts'
import { javaEnvironment, javaOptions } from './java.ts'
import { type Child, type Log, supervise } from './processes.ts'
import { versions } from './versions.ts'

interface Needs {
  readonly directory: Directory
  readonly java: string
  readonly jars: string
  /** More options of the virtual machine. */
  readonly options: readonly string[]
  readonly log: Log
  readonly stopWithinMilliseconds?: number
}

/** Throws while the registry at this address does not list its subjects. */
export const askRegistry = async (at: RegistryAddress) => {
  const { status } = await callRegistry(at, { path: '/subjects', withinMilliseconds: 2_000 })
  if (status !== 200) throw new Error(`the registry answers ${status}`)
}

/** Prepare Apicurio Registry in this data directory; `start` starts it. It keeps its schemas on disk. */
export const prepareRegistry = async (needs: Needs): Promise<{ child: Child; url: string }> => {
  const { directory, java, jars, options, log, stopWithinMilliseconds } = needs
  const port = await directory.port('registry')
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const jar = join(jars, `apicurio-registry-app-${versions.registry}-runner.jar`)
  const child = supervise(
    directory.path,
    {
      name: 'registry',
      command: java,
      arguments: [...javaOptions(256), ...options, '-jar', jar],
      environment: {
        ...javaEnvironment(),
        // H2 would answer a second before it writes: a schema that is forgotten by a kill may come back under another id.
        REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(directory.path, 'registry', 'schemas')};WRITE_DELAY=0`,
        QUARKUS_HTTP_HOST: '127.0.0.1',
        QUARKUS_HTTP_PORT: String(port),
        LOG_LEVEL: 'WARN',
        REGISTRY_LOG_LEVEL: 'WARN',
      },
      cwd: directory.path,
      attempts: 4,
      ...(stopWithinMilliseconds ? { stopWithinMilliseconds } : {}),
      ready: () => askRegistry({ registryUrl: url }),
    },
    log,
  )
  return { child, url }
}
