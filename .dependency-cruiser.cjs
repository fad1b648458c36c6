// Who may know whom. `npm run rooms` checks it; infra/e2e/src/rooms.unit.test.ts plants violations and must see them.
const SERVICES = '(gateway|subscription|credits-ledger|key-inventory|billing-scheduler)'
// Tests, and what only tests use.
const TEST = '\\.((unit|property|int|e2e)\\.test|testing)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'services-never-meet',
      comment: 'Two services never import each other, not even a type: they talk by messages.',
      severity: 'error',
      from: { path: `^services/${SERVICES}/` },
      to: { path: `^services/${SERVICES}/`, pathNot: '^services/$1/' },
    },
    {
      name: 'kafka-has-one-room',
      comment: 'kafkajs is known in infra/runtime/src/kafka alone, so that a successor can replace it in one room.',
      severity: 'error',
      from: { pathNot: '^infra/runtime/src/(kafka/|testing\\.ts)' },
      to: { path: 'node_modules/kafkajs/' },
    },
    {
      name: 'the-core-is-pure',
      comment: 'domain and sagas know values and declared messages: no runtime, database, network, clock or chance.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/(domain|sagas)/', pathNot: TEST },
      to: {
        path: '^(infra/|(node:)?(fs|net|http|https|timers|child_process)(/|$)|node_modules/(knex|pg|objection|fastify|pino)/)',
        pathNot: '^infra/runtime/src/(handler\\.ts|index\\.ts)$',
      },
    },
    {
      name: 'sql-has-one-place',
      comment: 'In a service only store, models and main know the database.',
      severity: 'error',
      from: {
        path: '^services/[^/]+/src/',
        pathNot: `(/(store|models|main|verify|migrations)[^/]*(\\.ts|/)|${TEST}|/testing)`,
      },
      to: { path: 'node_modules/(knex|pg|objection)/' },
    },
    {
      name: 'stores-in-memory-are-for-the-simulator',
      severity: 'error',
      from: { path: '^services/', pathNot: `(/in-memory\\.ts$|/store\\.memory\\.ts$|/store/memory\\.ts$|${TEST})` },
      to: { path: '(/in-memory|/store\\.memory|/store/memory|^infra/runtime/src/memory)\\.ts$' },
    },
    {
      name: 'schemas-stand-alone',
      severity: 'error',
      from: { path: '^schemas/' },
      to: { path: '^(services|infra)/' },
    },
    {
      name: 'the-runtime-knows-no-service',
      severity: 'error',
      from: { path: '^infra/runtime/', pathNot: TEST },
      to: { path: '^(services|infra/(local|e2e|bench|chaos))/' },
    },
    {
      name: 'services-do-not-know-their-launcher',
      severity: 'error',
      from: { path: '^services/', pathNot: TEST },
      to: { path: '^infra/(local|e2e|bench|chaos)/' },
    },
    {
      name: 'the-launcher-knows-migrations-only',
      comment: 'infra/local starts services as processes; of their code it knows the migrations.',
      severity: 'error',
      from: { path: '^infra/local/' },
      to: { path: '^services/', pathNot: '/src/migrations/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(\\.turbo|/dist/)' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
}
