import { readEnvironment, runService, serviceEnvironment } from '../index.ts'
import { throughProxy } from './kafka-proxy.ts'
import { probe, tellingWork } from './probe.ts'

// The probe as a process of its own, so that a test can kill it.
const { PROBE_SERVICE: service = 'probe', PROXY_PORT } = process.env
await runService({
  service,
  environment: readEnvironment(process.env, serviceEnvironment),
  handler: probe(service),
  work: process.env.PROBE_TELLS ? [tellingWork(service)] : [],
  ...(PROXY_PORT ? { socketFactory: throughProxy(Number(PROXY_PORT)) } : {}),
})
