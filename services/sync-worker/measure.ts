/** Knows which of the worker's facts are counted under which metric of the catalogue. */
import type { RunResult } from '#libs/contracts/result.ts'
import type { CounterName } from '#libs/telemetry/events.ts'
import type { Metrics } from '#libs/telemetry/metrics.ts'
import type { Ports } from './ports.ts'

const names: Readonly<Record<Parameters<Ports['count']>[0], CounterName>> = {
  'lease-lost': 'syncline.lease.lost',
  deferral: 'syncline.deferrals',
  'dead-letter': 'syncline.dead_letters',
  items: 'syncline.items',
}

export const measure = (metrics: Metrics) => ({
  count: (metric: Parameters<Ports['count']>[0], by: number, facts?: Readonly<Record<string, string>>): void => metrics.count(names[metric], facts, by),
  ended: (result: RunResult): void => {
    const lane = result.lane ?? 'hot'
    metrics.count('syncline.runs', { outcome: result.outcome, cause: result.cause, lane })
    metrics.observe('syncline.run.duration', (result.finishedAt - result.startedAt) / 1000, { outcome: result.outcome, lane })
    for (const { counts, outcome, phase, durationMs } of result.flows) {
      metrics.observe('syncline.flow.duration', durationMs / 1000, { outcome, phase })
      for (const action of ['created', 'updated', 'deleted', 'adopted', 'parked'] as const) {
        if (counts[action] > 0) metrics.count('syncline.items', { action }, counts[action])
      }
    }
  },
})
