import { problem, Refused } from './problem.ts'

const MINUTE = 60_000
const MOST_USERS = 100_000

interface Window {
  readonly since: number
  count: number
}

const forgetOld = (windows: Map<string, Window>, at: number) => {
  for (const [user, { since }] of windows) if (at - since >= MINUTE) windows.delete(user)
  if (windows.size >= MOST_USERS) windows.clear()
}

/** At most `perMinute` of one thing per user and minute of real time, in this process. @throws Refused 429 */
export type RateLimit = (userId: string) => void

export const rateLimit = (perMinute: number, now: () => number): RateLimit => {
  const windows = new Map<string, Window>()
  return (userId) => {
    const at = now()
    const window = windows.get(userId)
    if (!window || at - window.since >= MINUTE) {
      if (windows.size >= MOST_USERS) forgetOld(windows, at)
      windows.set(userId, { since: at, count: 1 })
      return
    }
    if (window.count >= perMinute) throw rateLimited(Math.ceil((window.since + MINUTE - at) / 1000))
    window.count += 1
  }
}

export const rateLimited = (retryAfterSeconds: number) =>
  new Refused(problem('rate_limited', 'Too many of these in a minute; try again later.'), retryAfterSeconds)
