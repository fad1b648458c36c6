import type { ServiceOptions } from '@coding-plans/runtime'
import { Acceptor } from './acceptor.ts'
import { buildApp, openapi, serverOptions } from './app.ts'
import { authenticator, bearerOf, type Issuer } from './authentication.ts'
import type { Config } from './config.ts'
import { projector } from './handlers.ts'
import { inventoryAt } from './inventory.ts'
import type { ReadModels } from './projections/models.ts'
import { rateLimit } from './rate-limit.ts'
import { acceptingStore } from './store/accepting.ts'
import { answeringStore } from './store/answering.ts'
import { businessClock } from './store/business-clock.ts'
import { forgetting, forgettingUsers } from './store/forgetting.ts'
import { load, save } from './store/projecting.ts'
import { readingStore } from './store/reading.ts'
import { WaitingRoom } from './waiting.ts'

const wallClock = () => Date.now()

const issuerOf = ({ AUTH_JWT_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE }: Config): Issuer => ({
  secret: AUTH_JWT_SECRET,
  jwksUrl: AUTH_JWKS_URL,
  issuer: AUTH_ISSUER,
  audience: AUTH_AUDIENCE,
})

/** The gateway as a service: its projections, and the contract on the runtime's own server. */
export const gateway = (config: Config): Omit<ServiceOptions<ReadModels>, 'environment'> => {
  const clock = businessClock(config.CLOCK, wallClock)
  return {
    service: 'gateway',
    server: serverOptions,
    openapi,
    handler: projector({
      load: (tx, messages) => {
        clock.hear(messages)
        return load(tx, messages)
      },
      save,
    }),
    work: [forgetting, forgettingUsers],
    // Nobody waits for the steps on the way, and each outcome is looked for every few milliseconds anyway.
    paceMilliseconds: 12,
    missing: async (knex) => ((await clock.now(knex)) === null ? 'The business clock has not been heard yet.' : null),
    routes: async (http, { knex, log, worker }) => {
      const waiting = new WaitingRoom(answeringStore(knex), log)
      const store = acceptingStore(knex, worker.append.bind(worker), clock.now)
      let wasReady = false
      worker.onRound(() => waiting.look())
      http.addHook('onListen', async () => waiting.start())
      http.addHook('preClose', async () => waiting.close())
      http.addHook('onClose', async () => waiting.stop())
      await buildApp(http, {
        mode: config.CLOCK,
        secret: config.INTERNAL_SECRET,
        authenticate: authenticator(issuerOf(config), wallClock),
        admitCron: bearerOf(config.CRON_SECRET),
        limits: {
          purchases: rateLimit(config.PURCHASES_PER_MINUTE, wallClock),
          keyTests: rateLimit(config.KEY_TESTS_PER_MINUTE, wallClock),
          explanations: rateLimit(config.EXPLANATIONS_PER_MINUTE, wallClock),
        },
        acceptor: new Acceptor(store, log),
        waiting,
        reading: readingStore(knex),
        inventory: inventoryAt(config.KEY_INVENTORY_URL, config.REVEAL_SECRET),
        now: () => clock.now(knex),
        accepting: () => {
          wasReady ||= worker.ready().ready
          return wasReady && !worker.databaseAway && !worker.brokerAway
        },
      })
    },
  }
}
