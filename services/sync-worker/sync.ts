/**
 * Knows the story of one run: hold the lease, play each flow in its order, say how it ended, give the lease back
 * (SYNC.md §A.5). Answers what becomes of the work item; does not ack.
 */
import type { FlowResult, RunResult } from '#libs/contracts/result.ts'
import { defaultMaxAttempts, defaultRunTimeoutMs, type Connection } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { fenceRegress } from './fence-regress.ts'
import type { Hold } from './hold-lease.ts'
import { takeLease } from './take-lease.ts'
import type { LeaseTimes } from './lease.ts'
import type { LeaseMemory } from './lease-memory.ts'
import { fenced } from './lease-standing.ts'
import type { Ports } from './ports.ts'
import { askedOf, asOperators } from './operators-wish.ts'
import { playFlow, type FlowPlayed } from './play-flow.ts'
import type { Work } from './work.ts'
import { judge, mayBeSkipped, type Judgement } from './verdict.ts'

/** What the run came to; `hold` is given when the lease is still to be released. */
export type RunEnd = {
  readonly judgement: Judgement | { readonly is: 'skipped'; readonly reason: string }
  readonly result: RunResult
  readonly hold?: Hold
  readonly trace: string
}

export const syncConnection = (ports: Ports, times: LeaseTimes, memory: LeaseMemory) => (work: Work): Promise<RunEnd> =>
  ports.tracer.span('sync.run', { parent: work.trace, attributes: { conn: work.item.conn, run: work.item.run, attempt: work.attempt } }, async (span) => {
    const startedAt = ports.clock.now()
    const report = reporter(ports, work, startedAt, span.traceId, span.traceparent)

    const found = await ports.connection(work.item.conn, work.item.revision)()
    if (E.isLeft(found)) return report.failed([found.left], [], undefined, defaultMaxAttempts)
    const connection = found.right
    if (connection === null) return report.skipped('the connection was deleted')
    if (connection.paused === true && work.item.reset === undefined) return report.skipped('paused')

    const maxAttempts = connection.maxAttempts ?? defaultMaxAttempts
    const taken = await ports.tracer.span('sync.acquire', { parent: span.traceparent }, () =>
      takeLease(ports, times, memory)({ conn: connection.id, run: work.item.run, attempt: work.attempt, stillWorking: work.stillWorking }),
    )
    if (E.isLeft(taken)) return report.failed([taken.left], [], undefined, maxAttempts)
    if (taken.right.is === 'busy') {
      if (mayBeSkipped(work.item, work.attempt)) return report.skipped('already in progress')
      const jitter = ports.random.next() * 1_000
      return report.failed([{ is: 'later', message: 'another worker plays this connection', notBefore: ports.clock.now() + taken.right.ttlLeftMs + jitter, code: 'busy' }], [], undefined, maxAttempts)
    }

    const { hold, above } = taken.right
    const regress = await fenceRegress(ports, memory, { conn: connection.id, fence: hold.fence, above })
    if (regress !== undefined) return report.failed([regress], [], hold, maxAttempts)
    work.stop.watch(hold.lost, hold.whyLost)
    work.stop.after(connection.runTimeoutMs ?? defaultRunTimeoutMs)
    try {
      const { results, failures } = await playFlows(ports, connection, work, hold, span.traceparent)
      const end = report.failed(failures, results, hold, maxAttempts)
      if (end.judgement.is !== 'settled' || end.result.outcome === 'failed') span.fail(failures[0]?.message ?? end.judgement.is)
      return end
    } catch (bug) {
      await hold.release([])
      throw bug
    }
  })

type Played = { readonly results: ReadonlyArray<FlowResult>; readonly failures: ReadonlyArray<SyncFailure> }

/** A failed flow is reported and does not stop the next; a run that was stopped stops them all (R 2.13). */
const playFlows = async (ports: Ports, connection: Connection, work: Work, hold: Hold, trace: string): Promise<Played> => {
  const results: Array<FlowResult> = []
  const failures: Array<SyncFailure> = []
  const wanted = connection.flows.filter(({ id }) => work.item.flow === undefined || id === work.item.flow)
  if (wanted.length === 0) return { results, failures: [{ is: 'needs-person', message: `${connection.id} has no flow ${work.item.flow}`, mend: `its flows are ${connection.flows.map(({ id }) => id).join(', ')}` }] }
  for (const flow of wanted) {
    if (work.stop.signal.aborted) {
      results.push({ flow: flow.id, outcome: 'not-run', phase: 'delta', counts: noFlowCounts(), durationMs: 0 })
      continue
    }
    const played: FlowPlayed = await playFlow(ports, { connection, flow, work, hold, trace })
    results.push(played.result)
    if (played.failure !== undefined) failures.push({ ...played.failure, flow: flow.id })
  }
  // What failed because the lease lapsed meanwhile is not ours to try again: whoever has it now settles it.
  const why = work.stop.why() ?? (failures.length > 0 && !hold.isTrusted() ? fenced(`the lease of ${connection.id} is not trusted any more`) : undefined)
  return { results, failures: why === undefined || failures.some(({ is }) => is === why.is) ? failures : [...failures, why] }
}

const reporter = (ports: Ports, work: Work, startedAt: number, traceId: string, trace: string) => {
  const base = (finishedAt: number): Omit<RunResult, 'outcome' | 'quiet' | 'fence' | 'flows'> => ({
    conn: work.item.conn,
    run: work.item.run,
    cause: work.item.cause,
    startedAt,
    finishedAt,
    attempt: work.attempt,
    lane: work.item.lane,
    traceId,
    askedAt: work.item.askedAt,
    worker: ports.worker,
    ...(work.item.slot === undefined ? {} : { slot: work.item.slot }),
    ...(work.item.dryRun === undefined ? {} : { dryRun: work.item.dryRun }),
    ...(work.item.requestSeq === undefined ? {} : { requestSeq: work.item.requestSeq }),
    ...askedOf(work.item),
  })
  return {
    skipped: (reason: string): RunEnd => ({
      judgement: { is: 'skipped', reason },
      result: { ...base(ports.clock.now()), outcome: 'skipped', quiet: true, fence: 0, flows: [], reason },
      trace,
    }),
    /** Also the way of a run in which nothing failed. */
    failed: (failures: ReadonlyArray<SyncFailure>, flows: ReadonlyArray<FlowResult>, hold: Hold | undefined, maxAttempts: number): RunEnd => {
      const now = ports.clock.now()
      const judgement = judge(flows, failures.map((failure) => asOperators(work.item, failure)), { attempt: work.attempt, maxAttempts, random: ports.random.next(), now })
      const outcome = judgement.is === 'settled' || judgement.is === 'dead' ? judgement.outcome : 'failed'
      const error = 'error' in judgement ? judgement.error : undefined
      return {
        judgement,
        result: {
          ...base(now),
          outcome,
          quiet: outcome === 'succeeded' && flows.every(isQuiet) && work.item.reset === undefined && work.item.undo === undefined,
          fence: hold?.fence ?? 0,
          flows: [...flows],
          ...(error === undefined ? {} : { error }),
        },
        trace,
        ...(hold === undefined ? {} : { hold }),
      }
    },
  }
}

const isQuiet = ({ counts, warnings }: FlowResult): boolean =>
  counts.created + counts.updated + counts.deleted + counts.adopted + counts.conflicts + counts.parked + counts.held + counts.drifted === 0 && (warnings ?? []).length === 0

const noFlowCounts = () => ({ read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0 })

