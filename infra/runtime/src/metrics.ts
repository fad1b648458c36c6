import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface CountedGauge {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly count: () => Promise<{ labels: Record<string, string>; value: number }[]>
}

/** What one process says of itself to Prometheus. */
export class Metrics {
  readonly registry = new Registry()
  readonly #rounds: Histogram
  readonly #batch: Histogram
  readonly #handled: Counter
  readonly #deadLetters: Counter
  readonly #lettersKept: Gauge
  readonly #unpublished: Gauge
  readonly #oldest: Gauge
  readonly #lag: Gauge

  constructor(service: string) {
    const { registry } = this
    registry.setDefaultLabels({ service })
    const registers = [registry]
    this.#rounds = new Histogram({
      name: 'round_seconds',
      help: 'Time of one round: from its first try to its commit.',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    })
    this.#batch = new Histogram({
      name: 'round_messages',
      help: 'Messages handled in one round.',
      buckets: [1, 3, 10, 30, 100, 300, 1000],
      registers,
    })
    this.#handled = new Counter({ name: 'messages_handled_total', help: 'Messages that took effect.', registers })
    this.#deadLetters = new Counter({
      name: 'dead_letters_total',
      help: 'Messages sent to the dead letters.',
      registers,
    })
    this.#lettersKept = new Gauge({
      name: 'dead_letters_kept',
      help: 'Dead letters of the service that were not redriven yet; every process of it says the same.',
      registers,
    })
    this.#unpublished = new Gauge({
      name: 'outbox_unpublished',
      help: 'Rows committed here and not yet in Kafka.',
      registers,
    })
    this.#oldest = new Gauge({ name: 'outbox_oldest_seconds', help: 'How long the oldest of them waits.', registers })
    this.#lag = new Gauge({
      name: 'consumer_lag',
      help: 'Records behind the end, when last fetched.',
      labelNames: ['topic', 'lane'],
      registers,
    })
  }

  /** One of a service's own. */
  gauge(name: string, help: string, labelNames: readonly string[]) {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  /** A service's own gauge, counted when it is asked for. What cannot be counted just then keeps its last values. */
  counted({ name, help, labelNames, count }: CountedGauge) {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      async collect() {
        const values = await count().catch(() => null)
        if (!values) return
        gauge.reset()
        for (const { labels, value } of values) gauge.set(labels, value)
      },
    })
  }

  round(messages: number, seconds: number, deadLetters: number) {
    this.#rounds.observe(seconds)
    this.#batch.observe(messages)
    this.#handled.inc(messages)
    if (deadLetters > 0) this.#deadLetters.inc(deadLetters)
  }

  lag(topic: string, lane: number, records: number) {
    this.#lag.set({ topic, lane: String(lane) }, records)
  }

  lettersKept(count: number) {
    this.#lettersKept.set(count)
  }

  outbox(unpublished: number, oldestSeconds: number) {
    this.#unpublished.set(unpublished)
    this.#oldest.set(oldestSeconds)
  }
}
