import { runService } from '@coding-plans/runtime'
import { instant } from '@coding-plans/schemas'
import { Acceptor } from './acceptor.ts'
import { buildApp, serverOptions } from './app.ts'
import { authenticator } from './authentication.ts'
import { businessClock } from './business-clock.ts'
import { readConfig } from './config.ts'
import { projector } from './handlers.ts'
import { inventoryAt } from './inventory.ts'
import { rateLimit } from './rate-limit.ts'
import { acceptingStore } from './store/accepting.ts'
import { answeringStore } from './store/answering.ts'
import { forgetting } from './store/forgetting.ts'
import { load, save } from './store/projecting.ts'
import { readingStore } from './store/reading.ts'
import { WaitingRoom } from './waiting.ts'

const config = (() => {
  try {
    return readConfig(process.env)
  } catch (error) {
    console.error((error as Error).message)
    process.exit(1)
  }
})()

const clock = businessClock(config.CLOCK, () => Date.now())

await runService({
  service: 'gateway',
  environment: config,
  server: serverOptions,
  handler: projector({
    load: (tx, messages) => {
      clock.hear(messages)
      return load(tx, messages)
    },
    save,
  }),
  work: [forgetting],
  routes: async (http, { knex, log, worker }) => {
    const waiting = new WaitingRoom(answeringStore(knex), log)
    const store = acceptingStore(knex, worker.append.bind(worker), (tx) => clock.now(tx))
    let wasReady = false
    worker.onRound(() => waiting.look())
    http.addHook('onListen', async () => waiting.start())
    http.addHook('preClose', async () => waiting.close())
    http.addHook('onClose', async () => waiting.stop())
    await buildApp(http, {
      mode: config.CLOCK,
      secret: config.INTERNAL_SECRET,
      authenticate: authenticator({ secret: config.AUTH_JWT_SECRET, jwksUrl: config.AUTH_JWKS_URL }, () => Date.now()),
      limits: {
        purchases: rateLimit(config.PURCHASES_PER_MINUTE, () => Date.now()),
        keyTests: rateLimit(config.KEY_TESTS_PER_MINUTE, () => Date.now()),
      },
      acceptor: new Acceptor(store, log),
      waiting,
      reading: readingStore(knex),
      inventory: inventoryAt(config.KEY_INVENTORY_URL, config.INTERNAL_SECRET),
      now: async () => {
        const now = await clock.now(knex)
        return now === null ? null : instant(now)
      },
      accepting: () => {
        wasReady ||= worker.ready().ready
        return wasReady && !worker.databaseAway && !worker.brokerAway
      },
    })
  },
})
