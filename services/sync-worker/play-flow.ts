/** Knows how one flow is played: open both sides, stream it or spool it, close them, tell what came of it. */
import type { Side, TransactionalLedger } from '#libs/connectors/connector.ts'
import type { FlowResult } from '#libs/contracts/result.ts'
import type { Progress } from '#libs/contracts/progress.ts'
import type { Connection, Flow } from '#libs/domain/connection.ts'
import { bug, type SyncFailure } from '#libs/domain/failure.ts'
import { E, pipe } from '#libs/fp.ts'
import type { FlowEnd } from './flow-end.ts'
import type { Hold } from './hold-lease.ts'
import type { Ports } from './ports.ts'
import { projectedSide } from './projected-side.ts'
import { noCounts, type FlowContext, type MutableCounts, type Step } from './run-context.ts'
import { resetFlow } from './reset-flow.ts'
import { restore } from './restore.ts'
import { runSpooled } from './spooled-flow.ts'
import { spreadOf } from './spread.ts'
import { runStreamed } from './streamed-flow.ts'
import { runStreamedHeld } from './streamed-hold.ts'
import { undoFlow } from './undo-flow.ts'
import type { Work } from './work.ts'

export type FlowPlayed = { readonly result: FlowResult; readonly failure?: SyncFailure }
export type FlowAsk = { readonly connection: Connection; readonly flow: Flow; readonly work: Work; readonly hold: Hold; readonly trace: string }

export const playFlow = (ports: Ports, ask: FlowAsk): Promise<FlowPlayed> =>
  ports.tracer.span('sync.flow', { parent: ask.trace, attributes: { conn: ask.connection.id, flow: ask.flow.id, run: ask.work.item.run } }, async (span) => {
    const startedAt = ports.clock.monotonic()
    const counts = noCounts()
    const played = ask.work.item.reset === undefined ? openAndRun(ports, ask, counts, span.traceparent) : resetFlow(ports, ask, span.traceparent)
    const ended = await played.catch((cause: unknown): E.Either<SyncFailure, FlowEnd> => {
      ports.log.error('run.bug', { conn: ask.connection.id, flow: ask.flow.id, run: ask.work.item.run, error: cause })
      return E.left(bug(`unexpected: ${cause instanceof Error ? cause.message : String(cause)}`))
    })
    const durationMs = Math.round(ports.clock.monotonic() - startedAt)
    const end = told(ask.connection.id, ask.flow, ended, counts, durationMs)
    if (end.failure !== undefined) span.fail(end.failure.message)
    return end
  })

const openAndRun = async (ports: Ports, ask: FlowAsk, counts: MutableCounts, trace: string): Promise<E.Either<SyncFailure, FlowEnd>> => {
  const { connection, flow, work, hold } = ask
  const { signal } = work.stop
  const a = await ports.openSide(connection, flow, 'source', signal)()
  if (E.isLeft(a)) return E.left({ side: 'source', ...a.left })
  try {
    const b = await ports.openSide(connection, flow, 'destination', signal)()
    if (E.isLeft(b)) return E.left({ side: 'destination', ...b.left })
    try {
      if (a.right.identity === b.right.identity) {
        return E.left({ is: 'needs-person', message: `source and destination are the same collection: ${a.right.identity}`, mend: 'point one side of the flow elsewhere' })
      }
      const keepsRest = flow.kind !== 'row'
      const way = { conn: connection.id, flow: flow.id }
      const provenance = ports.provenanceFor(way)
      const context: FlowContext = {
        ports, connection, flow, item: work.item, hold, trace, signal, counts,
        a: projectedSide(a.right, 'source', flow.fields, keepsRest),
        b: projectedSide(b.right, 'destination', flow.fields, keepsRest),
        ...(provenance === undefined ? {} : { spread: spreadOf(provenance, { way, source: a.right.identity, destination: b.right.identity, now: ports.clock.now }) }),
        whyStopped: () => work.stop.why() ?? { is: 'fenced', message: `the lease of ${connection.id} is not trusted any more` },
        step: progressOf(ports, ask, counts),
      }
      const ended = pipe(await playOpened(context), E.map((end) => {
        const left = context.spread?.leftToOthers()
        return left === undefined ? end : { ...end, warnings: [...end.warnings, left] }
      }))
      // A call that was cut short by the stop reports its own error; the reason of the stop is the truth.
      return E.isLeft(ended) && signal.aborted ? E.left(context.whyStopped()) : ended
    } finally {
      await b.right.close()
    }
  } finally {
    await a.right.close()
  }
}

const playOpened = async (context: FlowContext): Promise<E.Either<SyncFailure, FlowEnd>> => {
  const ledger = streamsInto(context.flow, context.b)
  if (context.item.undo !== undefined) return undoFlow(context, context.item.undo, ledger)
  const restored = await restore(context)
  if (E.isLeft(restored)) return restored
  if (ledger === undefined) return runSpooled(context)
  const { hold } = context.connection
  return hold === undefined ? runStreamed(context, ledger) : runStreamedHeld(context, ledger, hold)
}

/** The ledger beside the rows, where a flow uses it: one-way, and not planned whole. */
const streamsInto = (flow: Flow, destination: Side): TransactionalLedger | undefined =>
  flow.direction === 'one-way' && flow.guards?.mode !== 'strict' ? destination.ledger : undefined

/** At most four a second, and none for runs that are over before (DESIGN §4). */
const progressEveryMs = 250

const progressOf = (ports: Ports, { connection, flow, work }: FlowAsk, counts: MutableCounts): ((step: Step) => void) => {
  const startedAt = ports.clock.now()
  let lastAt = startedAt
  return (step) => {
    const now = ports.clock.now()
    if (now - lastAt < progressEveryMs) return
    lastAt = now
    const progress: Progress = { conn: connection.id, run: work.item.run, state: 'in-progress', attempt: work.attempt, at: now, startedAt, flow: flow.id, step, counts: { ...counts } }
    ports.sayProgress(progress)
  }
}

const told = (conn: string, flow: Flow, ended: E.Either<SyncFailure, FlowEnd>, counts: MutableCounts, durationMs: number): FlowPlayed => {
  const base = { flow: flow.id, counts, durationMs }
  if (E.isLeft(ended)) {
    const outcome = ended.left.is === 'cancelled' ? 'cancelled' : 'failed'
    return { result: { ...base, outcome, phase: 'delta', error: ended.left }, failure: ended.left }
  }
  const end = ended.right
  const result: FlowResult = {
    ...base,
    outcome: end.held !== undefined ? 'held' : end.unsettled !== undefined ? 'failed' : counts.parked + (end.leftAlone ?? 0) > 0 ? 'partial' : 'succeeded',
    phase: end.phase,
    cursorBefore: end.cursorBefore,
    cursorAfter: end.cursorAfter,
    links: end.links,
    parkedNow: end.parkedNow,
    ...(end.warnings.length === 0 ? {} : { warnings: [...new Set(end.warnings)] }),
    ...(end.forgets === undefined ? {} : { forgets: end.forgets }),
    ...(end.plan === undefined ? {} : { ...(end.plan.hash === '' ? {} : { plan: end.plan.hash }), moves: [...end.plan.moves], movesTotal: end.plan.total }),
    ...(end.held === undefined ? {} : { heldBy: end.held.by, error: { is: 'held', message: end.held.message, mend: `look with \`syncline plan ${conn}\`; \`syncline approve ${conn} ${end.plan?.hash ?? '<plan>'}\` lets exactly this plan run` } }),
    ...(end.unsettled === undefined ? {} : { error: end.unsettled }),
  }
  return end.unsettled === undefined ? { result } : { result, failure: end.unsettled }
}
