const SILENT_AFTER_MILLISECONDS = 3_000

/** What a worker knows of its own state. */
export class Health {
  /** Why the consumer stopped for good. */
  halted: string | null = null
  stopping = false
  databaseAway = false
  /** Failures in a row. */
  troubles = 0
  #joined = false
  #lastHeartbeat = 0

  /** The coordinator counts us as a member. */
  beat() {
    this.#joined = true
    this.#lastHeartbeat = Date.now()
  }

  /** No heartbeat has come through for a while. */
  get silent() {
    return this.#joined && Date.now() - this.#lastHeartbeat > SILENT_AFTER_MILLISECONDS
  }

  /** Why not everything answers, in sentences; empty when it does. */
  reasons(brokerAway: boolean, more: readonly string[]): string[] {
    return [
      ...more,
      ...(this.halted ? [this.halted] : []),
      ...(this.stopping ? ['The service is stopping.'] : []),
      ...(this.#joined ? [] : ['The service has not joined its group yet.']),
      ...(this.databaseAway || this.troubles > 1 ? ['The database does not answer.'] : []),
      ...(brokerAway ? ['The broker does not answer.'] : []),
    ]
  }
}
