/** Knows the settings of the tracker, their defaults and why those. Does not read the environment: main.ts does. */
import { workAckWaitMs } from '#libs/contracts/streams.ts'
import type { EnvReader } from '#libs/process/env.ts'

export type Config = {
  readonly httpHost: string
  /** 0 = a free one. */
  readonly httpPort: number
  /** With it every path but /healthz wants `Authorization: Bearer <token>`. */
  readonly httpToken?: string
  /** Results folded at once. */
  readonly concurrency: number
  /** Connections whose last status is kept at hand, so that a quiet run reads nothing. */
  readonly cached: number
  readonly sweepEveryMs: number
  /** Silence after which a delivered work item counts as given up, while workers wait for work (NATS.md §5.6). */
  readonly silentMs: number
  /** Of the workers' consumers, as provisioned. */
  readonly workAckWaitMs: number
}

export const trackerDefaults = {
  httpHost: '127.0.0.1', // nobody else's business until somebody says so
  httpPort: 4280,
  concurrency: 256, // throughput is flat from 64 to 512 in flight, beyond it only latency grows (NATS.md §14)
  cached: 50_000, // about 2 KB each
  sweepEveryMs: 5 * 60_000,
  silentMs: 15 * 60_000, // longer than any delay between two attempts
  workAckWaitMs,
} as const satisfies Config

const day = 24 * 60 * 60_000

export const configOf = (env: EnvReader): Config => {
  const httpToken = env.text('TRACKER_HTTP_TOKEN')
  return {
    httpHost: env.text('TRACKER_HTTP_HOST') ?? trackerDefaults.httpHost,
    httpPort: env.wholeNumber('TRACKER_HTTP_PORT', 0, 65_535, trackerDefaults.httpPort),
    ...(httpToken === undefined ? {} : { httpToken }),
    concurrency: env.wholeNumber('TRACKER_CONCURRENCY', 1, 2_000, trackerDefaults.concurrency),
    cached: env.wholeNumber('TRACKER_CACHED', 0, 5_000_000, trackerDefaults.cached),
    sweepEveryMs: env.wholeNumber('TRACKER_SWEEP_EVERY_MS', 1_000, day, trackerDefaults.sweepEveryMs),
    silentMs: env.wholeNumber('TRACKER_SILENT_MS', 1_000, day, trackerDefaults.silentMs),
    workAckWaitMs,
  }
}
