/** Knows the settings of the scheduler, their defaults and why those. Does not read the environment: main.ts does. */
import type { EnvReader } from '#libs/process/env.ts'

export type Config = {
  /** Off: requests and questions are served, but nothing is due by itself (R 1.5). */
  readonly ticks: boolean
  /** Requests in hand at once; each is a few round trips. */
  readonly requestConcurrency: number
}

export const configOf = (env: EnvReader): Config => ({
  // On, because whoever writes a schedule into a connection wants it kept
  ticks: env.oneOf('SCHEDULER_TICKS', ['on', 'off'], 'on') === 'on',
  requestConcurrency: env.wholeNumber('SCHEDULER_REQUEST_CONCURRENCY', 1, 1_000, 64),
})
