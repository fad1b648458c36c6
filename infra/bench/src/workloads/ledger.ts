import { migrations } from '@coding-plans/credits-ledger/migrations'
import { type Bed, openBed } from '@coding-plans/local/bed'
import { migrate, pause } from '@coding-plans/runtime'
import type { Speaker } from '@coding-plans/runtime/testing'
import { type Figure, latencyOf } from '../figure.ts'
import { between, look } from '../usage.ts'
import type { Size, Workload } from '../workload.ts'
import { measureFloor } from './ledger-baseline.ts'
import { ANSWERS_TO_A_FUNDING, commands, type Feed, fundings, type Records } from './ledger-feed.ts'
import { hear, sayPaced } from './ledger-paced.ts'
import { DATABASE, disksOf, type Ledger, startLedger, verifyLedger } from './ledger-process.ts'
import { prove } from './ledger-proof.ts'

const sizes = {
  full: { holds: 60_000, pacedSeconds: 10, floorSeconds: 5 },
  quick: { holds: 20_000, pacedSeconds: 0, floorSeconds: 2 },
} as const
const PACED_PER_SECOND = 1_000
const DEADLINE_MILLISECONDS = 300_000
/** What follows the last answer is part of the work: the outbox is emptied, Kafka is told the positions. */
const REST_MILLISECONDS = 500

interface Plan extends Feed {
  readonly baseline: 'baseline spread' | 'baseline hot'
}

/** One or two holds for each user. */
const usersFor = (holds: number) => Math.ceil((holds * 2) / 3)

const plansOf = (size: Size): Plan[] => {
  const { holds } = sizes[size]
  const [spread, hot] = [
    { users: usersFor(holds), holds, baseline: 'baseline spread' },
    { users: 1, holds, baseline: 'baseline hot' },
  ] as const
  const plans: Plan[] = [
    { variant: 'spread', ...spread, captured: false },
    { variant: 'spread commands', ...spread, captured: true },
    { variant: 'hot', ...hot, captured: false },
    { variant: 'hot commands', ...hot, captured: true },
  ]
  return size === 'quick' ? plans.filter(({ captured }) => !captured) : plans
}

interface Site {
  readonly bed: Bed
  readonly speaker: Speaker
  readonly ledger: Ledger
}

/** Everybody has credits, and the service is warm: it has posted them. @returns how many answers there are now. */
const fund = async ({ speaker, ledger }: Site, feed: Feed) => {
  const target = (await ledger.answers()) + feed.users * ANSWERS_TO_A_FUNDING
  await speaker.say(fundings(speaker, feed))
  await ledger.reach(target, DEADLINE_MILLISECONDS)
  await pause(REST_MILLISECONDS)
  return target
}

/** From the first record's publish to the last answer in Kafka. */
const measure = async (
  { bed, ledger }: Site,
  { records, feed, answered, say }: { records: Records; feed: Feed; answered: number; say: () => Promise<unknown> },
): Promise<Figure> => {
  const { broker, postgres } = bed.servers
  const processes = [
    { name: 'credits-ledger', pid: ledger.pid },
    { name: 'postgres', pid: postgres.pid },
    { name: 'kafka', pid: broker.pid },
  ]
  const disks = disksOf(bed)
  const before = await look(processes, disks)
  const began = performance.now()
  const fed = say().then(() => performance.now())
  const ended = await ledger.reach(answered + records.length, DEADLINE_MILLISECONDS)
  const seconds = (ended - began) / 1_000
  const fedSeconds = ((await fed) - began) / 1_000
  await pause(REST_MILLISECONDS)
  const after = await look(processes, disks)
  return {
    workload: 'ledger',
    variant: feed.variant,
    unit: feed.captured ? 'commands' : 'holds',
    units: records.length,
    seconds,
    perSecond: records.length / seconds,
    acceptedPerSecond: records.length / fedSeconds,
    ...between(processes, before, after, records.length),
  }
}

/** A variant with a service process of its own, on the same servers and the same books. */
const withLedger = async (bed: Bed, speaker: Speaker, act: (site: Site) => Promise<Figure>) => {
  const ledger = await startLedger(bed)
  try {
    return await act({ bed, speaker, ledger })
  } finally {
    await ledger.stop()
  }
}

const measureBurst = async (site: Site, feed: Feed) => {
  const answered = await fund(site, feed)
  const records = commands(site.speaker, feed)
  return measure(site, { records, feed, answered, say: () => site.speaker.say(records) })
}

/** Latency where the service is not full: from the instant at which a hold is due to be said to its answer heard. */
const measurePaced = async (site: Site, feed: Feed): Promise<Figure> => {
  const answered = await fund(site, feed)
  const records = commands(site.speaker, feed)
  const ears = await hear(site.bed, { feed, answered })
  let dueAt: readonly number[] = []
  const say = async () => {
    dueAt = await sayPaced(site.speaker, records, PACED_PER_SECOND)
  }
  const figure = await measure(site, { records, feed, answered, say })
  const heardAt = await ears.all()
  return { ...figure, latency: latencyOf(dueAt.map((due, n) => (heardAt[n] ?? Number.NaN) - due)) }
}

const compare = (figures: readonly Figure[], figure: Figure, { baseline }: Plan): Figure => {
  const floor = figures.find(({ variant }) => variant === baseline)
  return floor ? { ...figure, ratio: { to: floor.variant, value: figure.perSecond / floor.perSecond } } : figure
}

const runOn = async (bed: Bed, size: Size, say: (line: string) => void): Promise<Figure[]> => {
  const { pacedSeconds, floorSeconds: seconds } = sizes[size]
  const figures: Figure[] = []
  const tell = (figure: Figure) => {
    figures.push(figure)
    say(`${figure.variant}: ${Math.round(figure.perSecond)} ${figure.unit}/s`)
  }
  await migrate(await bed.servers.createDatabase(DATABASE), migrations)
  const speaker = await bed.speaker('subscription')
  const pacedHolds = PACED_PER_SECOND * pacedSeconds
  const paced: Feed = { variant: 'paced', users: usersFor(pacedHolds), holds: pacedHolds, captured: false }
  if (pacedHolds > 0) tell(await withLedger(bed, speaker, (site) => measurePaced(site, paced)))
  const plans = plansOf(size)
  for (const plan of plans) {
    const { baseline, users } = plan
    // Just before the first that is held against it: what else this machine does should weigh on both.
    if (!figures.some(({ variant }) => variant === baseline))
      tell(await measureFloor(bed, { variant: baseline, accounts: users, seconds }))
    tell(compare(figures, await withLedger(bed, speaker, (site) => measureBurst(site, plan)), plan))
  }

  await prove(bed, pacedHolds > 0 ? [paced, ...plans] : plans)
  say(await verifyLedger(bed))
  return figures
}

/** The credits ledger alone, as its own process: from commands in Kafka to answers in Kafka. */
export const ledger: Workload = {
  name: 'ledger',
  run: async (size, say) => {
    const bed = await openBed()
    try {
      return await runOn(bed, size, say)
    } finally {
      await bed.close()
    }
  },
}
