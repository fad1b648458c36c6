import { MemoryRefusal } from '@coding-plans/runtime/memory'
import { instant } from '@coding-plans/schemas'
import { Audit } from './audit.ts'
import type { Bug } from './bugs.ts'
import { askOutsider } from './outsider.ts'
import { People } from './people.ts'
import { Random } from './random.ts'
import { noFaults } from './surroundings.ts'
import { Violation, Watch } from './watch.ts'
import { type Mode, World } from './world.ts'

const HOUR = 3_600_000
const STEPS = 700
const MOST_TO_SETTLE = 600
/** What is sent again may meet what came before it and rests on it. */
const MOST_REDRIVES = 5
const SETTLING_SECOND = 1_000

export interface Outcome {
  readonly seed: number
  readonly violation: string | null
  readonly messages: number
  readonly kills: number
  readonly story: readonly string[]
}

export interface Options {
  readonly bug?: Bug | null
  /** Whether the seen ids are gone, of which nothing may hang (IDE-4). */
  readonly forgets?: boolean
  /** Whether every line of the story is kept. */
  readonly tells?: boolean
}

/** What of all that can go wrong does in this run, and how often: not all at once, so that one fault does not hide another. */
const dayOf = (random: Random) => {
  const often = (most: number) => (random.chance(0.5) ? random.next() * most : 0)
  return {
    kills: often(0.02),
    deaths: often(0.02),
    pauses: often(0.02),
    rebalances: often(0.02),
    jumps: 0.01 + often(0.05),
    poison: often(0.05),
    lostAcknowledgement: often(0.4),
    declines: often(0.5),
    silent: often(0.9),
    patience: random.next(),
    /** How much the processes do while people wait: in a hurry few hear an answer before they ask again. */
    pace: 1 + random.below(4),
  }
}

/** One story from one seed: what people do, what breaks, and whether all is as it must be at every step and in the end. */
export const simulate = async (
  seed: number,
  { bug = null, forgets = false, tells = false }: Options = {},
): Promise<Outcome> => {
  const random = new Random(seed)
  const mode: Mode = random.chance(0.5) ? 'test' : 'system'
  const story: string[] = []
  const day = dayOf(random)
  let kills = 0
  let step = 0
  let watch: Watch | undefined
  const tell = (line: string) => {
    if (tells) story.push(`${String(step).padStart(4)} ${new Date(world.now).toISOString()} ${line}`)
  }
  const world: World = new World({
    random,
    mode,
    bug,
    forgets,
    tell,
    kept: (station, messages) => {
      if (tells)
        for (const { name, key, correlationId } of messages)
          tell(`${station.service} decides ${name} of ${key} (${correlationId})`)
      watch?.after(station, messages)
    },
  })
  watch = new Watch(world)
  const people = new People(world, watch, tell)
  const done = (violation: string | null): Outcome => {
    const messages = world.stations.reduce((sum, { decided }) => sum + decided, 0)
    return { seed, violation, messages, kills, story }
  }

  const breakSomething = () => {
    const running = world.members.filter(({ paused }) => !paused)
    if (random.chance(day.kills)) {
      kills += 1
      const victim = random.pick(running)
      tell(`${victim.name} is killed`)
      world.kill(victim)
    }
    if (random.chance(day.pauses)) {
      const victim = random.pick(running.filter((member) => world.members.includes(member)))
      tell(`${victim.name} stands still`)
      world.pause(victim)
    }
    const asleep = world.members.filter(({ paused }) => paused)
    if (asleep.length > 0 && random.chance(0.1)) {
      const zombie = random.pick(asleep)
      tell(`${zombie.name} is awake again`)
      zombie.paused = false
    }
    if (random.chance(day.rebalances)) world.rebalance(random.pick(world.stations))
  }

  const passTime = async () => {
    world.now = instant(world.now + random.below(200))
    if (!random.chance(day.jumps)) return
    const far = random.chance(0.5) ? random.below(120) * HOUR : random.below(3) * HOUR
    tell(`${far / HOUR} hours pass`)
    if (mode === 'system') world.now = instant(world.now + far)
    else await people.advance(far / HOUR, random.chance(0.15))
  }

  try {
    await calm(world, people, async () => {
      for (const member of world.members) await member.laneWork()
    })
    await people.open(() => calm(world, people, async () => {}))
    await settle(world, people, watch)
    world.faults = { poison: day.poison, lostAcknowledgement: day.lostAcknowledgement }
    world.payments.mood = { declines: day.declines, silent: day.silent }
    for (step = 1; step <= STEPS; step += 1) {
      await passTime()
      breakSomething()
      if (random.chance(0.02 + 0.1 * day.patience)) await people.act()
      if (random.chance(0.15)) await people.look()
      if (random.chance(0.1)) world.publishOverdue()
      for (let move = 0; move < day.pace; move += 1) {
        const member = random.pick(world.members.filter(({ paused }) => !paused))
        await world.move(member, random.chance(day.deaths))
      }
    }
    tell('nothing breaks any more')
    world.faults = noFaults
    world.payments.mood = { declines: 0, silent: 0 }
    for (const member of world.members) member.paused = false
    // Whoever waits for what lies there is answered only then.
    for (let again = 0; again === 0 || world.hasDeadLetters; again += 1) {
      if (again === MOST_REDRIVES) throw new Violation('dead letters die again and again')
      world.redrive()
      await settle(world, people, watch)
    }
    new Audit(world).judge(people, watch)
    askOutsider(world, new Random(seed))
    return done(null)
  } catch (error) {
    if (error instanceof Violation) return done(error.message)
    if (error instanceof MemoryRefusal) return done(`the database has to refuse it: ${error.message}`)
    throw error
  }
}

/** Everybody moves until nobody can. */
const calm = async (world: World, people: People, first: () => Promise<void>) => {
  await first()
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (world.isQuiet) return people.look()
    for (const member of [...world.members]) {
      member.conclude()
      while (member.deliveries.length > 0) member.publish()
      if (member.hasArrivals) await world.round(member)
    }
  }
  throw new Violation('the messages do not come to an end')
}

/** Until all is paid or released and nothing is pending, while seconds pass. */
const settle = async (world: World, people: People, watch: Watch) => {
  for (let second = 0; second < MOST_TO_SETTLE; second += 1) {
    await calm(world, people, async () => {
      world.publishOverdue()
      for (const member of [...world.members]) {
        member.sweep()
        await member.laneWork()
        while (member.station.effects.size > 0 && member.underWay === 0) {
          await member.call()
          if (member.underWay === 0) break
        }
      }
    })
    if (watch.unsettled() === null && second > 1) break
    // Back-offs double: the longer it takes, the more of it passes at once.
    world.now = instant(world.now + SETTLING_SECOND * (1 + Math.floor(second / 20)))
  }
  const left = watch.unsettled()
  if (left && !world.hasDeadLetters) throw new Violation(`it does not come to rest: ${left}`)
  await world.rooms.gateway.forgetUsers()
}
