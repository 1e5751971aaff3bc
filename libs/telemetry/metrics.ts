/**
 * Knows how something is counted or measured under a name of the catalogue. Label values come from closed sets (an
 * outcome, an action); a connection id as a label would make a time series per connection. Does not know who reads them.
 */
import type { Counter, Histogram, Meter } from '@opentelemetry/api'
import { counters, histograms } from './events.ts'
import type { CounterName, HistogramName, LabelName } from './events.ts'

export type Labels = { readonly [label in LabelName]?: string }

export type Metrics = {
  /** Adds `by` (default 1, never negative). */
  readonly count: (name: CounterName, labels?: Labels, by?: number) => void
  /** One measurement, in seconds. */
  readonly observe: (name: HistogramName, seconds: number, labels?: Labels) => void
}

export const quietMetrics: Metrics = { count: () => undefined, observe: () => undefined }

/** From 5 ms (a quiet run) to an hour (the default run timeout). */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600]

export const recordingMetrics = (meter: Meter): Metrics => {
  const counterOf = new Map<CounterName, Counter>()
  const histogramOf = new Map<HistogramName, Histogram>()
  for (const [name, description] of Object.entries(counters) as ReadonlyArray<[CounterName, string]>) {
    counterOf.set(name, meter.createCounter(name, { description }))
  }
  for (const [name, description] of Object.entries(histograms) as ReadonlyArray<[HistogramName, string]>) {
    histogramOf.set(name, meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: boundaries } }))
  }
  return {
    count: (name, labels, by = 1) => counterOf.get(name)?.add(by, labels),
    observe: (name, seconds, labels) => histogramOf.get(name)?.record(seconds, labels),
  }
}
