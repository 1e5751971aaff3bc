/** Knows the settings of the sync-worker, their defaults and why those. Does not read the environment: main.ts does. */
import { leaseTtlMs } from '#libs/contracts/streams.ts'
import type { EnvReader } from '#libs/process/env.ts'

export type Config = {
  /** Name in leases and results; the process id is added when it is not set. */
  readonly worker: string | undefined
  /** Runs at once per lane. A quiet run is a handful of round trips, so many fit on one core (NATS.md §14: 64–512). */
  readonly hotConcurrency: number
  readonly coldConcurrency: number
  /** Lease of a connection: 30 s outlives the election of a new leader (SYNC.md §C.1, NATS.md §2.5); tests shorten it. */
  readonly leaseTtlMs: number
  readonly resolverTimeoutMs: number
}

export const configOf = (env: EnvReader): Config => ({
  worker: env.text('WORKER_NAME'),
  hotConcurrency: env.wholeNumber('WORKER_HOT_CONCURRENCY', 1, 1_000, 128),
  coldConcurrency: env.wholeNumber('WORKER_COLD_CONCURRENCY', 1, 1_000, 16),
  leaseTtlMs: env.wholeNumber('WORKER_LEASE_TTL_MS', 3_000, 300_000, leaseTtlMs),
  resolverTimeoutMs: env.wholeNumber('WORKER_RESOLVER_TIMEOUT_MS', 100, 60_000, 5_000),
})
