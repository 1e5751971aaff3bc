/** Knows the ways a connection can be scheduled. Does not know when a slot is due: slots.ts does. */
import * as t from 'io-ts'

/** Times in ms. `jitterMs` is the width of the window behind the nominal time; it never crosses the next nominal time. */
export const Schedule = t.union([
  t.intersection([t.type({ kind: t.literal('interval'), everyMs: t.number }), t.partial({ jitterMs: t.number })]),
  t.intersection([
    t.type({ kind: t.literal('cron'), expression: t.string, timeZone: t.string }),
    t.partial({ jitterMs: t.number }),
  ]),
  t.type({ kind: t.literal('manual') }),
])
export type Schedule = t.TypeOf<typeof Schedule>

/** 60 s: R 1.3, 17.1. */
export const defaultIntervalMs = 60_000
