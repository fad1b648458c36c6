/** All topics have this many partitions; lane n is partition n of every topic. Never change it on topics that hold keyed records. */
export const LANES = 12

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995
const SHIFT = 24

/** Murmur2 of 32 bits, as every Java client computes it. kafkajs' own counts in big integers, twenty times as slow. */
const murmur2 = (data: Buffer): number => {
  const whole = data.length & ~3
  let hash = SEED ^ data.length
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(data.readInt32LE(at), MULTIPLIER)
    word ^= word >>> SHIFT
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  const rest = data.length - whole
  if (rest > 2) hash ^= (data[whole + 2] as number) << 16
  if (rest > 1) hash ^= (data[whole + 1] as number) << 8
  if (rest > 0) hash = Math.imul(hash ^ (data[whole] as number), MULTIPLIER)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The lane of a record key. */
export const laneOf = (key: string): number => (murmur2(Buffer.from(key)) & 0x7fffffff) % LANES
