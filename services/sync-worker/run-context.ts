/** Knows what every step of a run is given: the connection, the lease, the sides, and how to stop. */
import type { Side } from '#libs/connectors/connector.ts'
import type { Counts } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { Connection, Flow } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import type { SpanName } from '#libs/telemetry/events.ts'
import { rememberedOf, type SideName } from './classify.ts'
import type { Hold } from './hold-lease.ts'
import type { Ports } from './ports.ts'
import type { Spread } from './spread.ts'

export type Step = 'reading' | 'planning' | 'resolving' | 'writing' | 'committing'

export type FlowContext = {
  readonly ports: Ports
  readonly connection: Connection
  readonly flow: Flow
  readonly item: WorkItem
  readonly hold: Hold
  /** W3C traceparent of the flow's span. */
  readonly trace: string
  readonly a: Side
  readonly b: Side
  /** Where the flow's items may go; absent where they cannot meet themselves. */
  readonly spread?: Spread
  /** Aborts when the run must end: lease lost, cancelled, timed out, process stopping. */
  readonly signal: AbortSignal
  /** Why it must end. */
  readonly whyStopped: () => SyncFailure
  readonly counts: MutableCounts
  readonly step: (step: Step) => void
}

/** The one thing a flow's steps write to as they go: what was done so far. */
export type MutableCounts = { -readonly [Name in keyof Counts]: number }

export const noCounts = (): MutableCounts => ({
  read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0,
})

/** What we wrote after this moment, ms since the epoch, a side may not show yet (T36). */
export const unsureAfter = ({ ports, flow }: FlowContext): number => ports.clock.now() - (flow.horizonMs ?? 0)

export const notShownYet = (key: string, side: 'source' | 'destination'): string => `"${key}", written a moment ago, is not shown by the ${side} yet`

/** A step of the flow as a span of its trace. */
export const inSpan = <A>({ ports, trace, flow }: FlowContext, name: SpanName, body: (trace: string) => Promise<A>): Promise<A> =>
  ports.tracer.span(name, { parent: trace, attributes: { flow: flow.id } }, (span) => body(span.traceparent))

/** A side that shows writes late said that it has the item, under an id that nobody knew: to be seen later, not to be fought over. */
export const isHidden = ({ flow }: FlowContext, link: Link | undefined, side: SideName, remoteId: string): boolean =>
  (flow.horizonMs ?? 0) > 0 && remoteId !== '' && rememberedOf(link, side).id !== remoteId
