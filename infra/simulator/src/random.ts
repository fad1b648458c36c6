/** Chance from one seed: the same seed, the same chances, on every machine (sfc32). */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.trunc(seed / 0x1_0000_0000) | 0
    this.#c = 0x9e3779b9 | 0
    for (let warmUp = 0; warmUp < 12; warmUp += 1) this.next()
  }

  /** From 0 to below 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 to below this. */
  below(most: number): number {
    return Math.floor(this.next() * most)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('There is nothing to pick from.')
    return from[this.below(from.length)] as T
  }

  /** One of these, by their weights. */
  weighted<T>(from: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.next() * from.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, choice] of from) {
      left -= weight
      if (left < 0) return choice
    }
    return (from.at(-1) as readonly [number, T])[1]
  }

  /** The queues as one, each in its own order. */
  merge<T>(queues: readonly (readonly T[])[]): T[] {
    const left = queues.filter((queue) => queue.length > 0).map((queue) => ({ queue, at: 0 }))
    const merged: T[] = []
    while (left.length > 0) {
      const place = this.below(left.length)
      const one = left[place] as { queue: readonly T[]; at: number }
      merged.push(one.queue[one.at] as T)
      one.at += 1
      if (one.at === one.queue.length) left.splice(place, 1)
    }
    return merged
  }
}
