/**
 * Knows the last steps of a run, in the order that loses nothing: say the result (or ask for later, or write the dead
 * letter), give the lease back, and only then let the work item go (SYNC.md §A.5 steps 9 and 10).
 */
import type { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { messageIds } from '#libs/contracts/subjects.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { done, retryIn, type Verdict } from '#libs/actor/verdict.ts'
import { E } from '#libs/fp.ts'
import type { AttemptError } from './hold-lease.ts'
import type { Ports } from './ports.ts'
import type { RunEnd } from './sync.ts'

/** The work item's message as it was delivered. */
export type Letter = { readonly body: string; readonly headers: Readonly<Record<string, string>>; readonly stream: string; readonly seq: number }

/** When the result cannot be stored, the whole item comes again: its writes are done, the next run finds nothing to do. */
const sayAgainMs = 2_000

/** `leaseTtlMs`: how long a run that is not ours any more is left to whoever may have it. */
export const conclude = (ports: Ports, leaseTtlMs: number) => async (item: WorkItem, letter: Letter, end: RunEnd): Promise<Verdict> => {
  const { judgement, hold, result, trace } = end
  const attempt: AttemptError = { attempt: result.attempt, at: result.finishedAt, error: errorLine(result.error) }
  const attempts = [...(hold?.attempts ?? []), attempt]
  const release = (kept: ReadonlyArray<AttemptError>): Promise<void> =>
    hold === undefined ? Promise.resolve() : ports.tracer.span('sync.release', { parent: trace }, () => hold.release(kept))

  switch (judgement.is) {
    case 'abandon':
      ports.log.warn('run.fenced', { conn: item.conn, run: item.run, reason: judgement.error.message })
      await release([])
      // An answer to an old delivery counts for the newest one (measured), which may be in the hands of the new owner: an
      // ack would take the work from under it, a short delay hand it to a third. This long one changes nothing for an owner
      // that lives, and brings the work back when there is none.
      return retryIn(leaseTtlMs, judgement.error.message)
    case 'retry': {
      ports.log.warn('run.retrying', { conn: item.conn, run: item.run, attempt: result.attempt, reason: judgement.error.message, delayMs: judgement.delayMs })
      ports.sayProgress({
        conn: item.conn, run: item.run, state: 'retrying', attempt: result.attempt, at: result.finishedAt, startedAt: result.startedAt,
        nextAttemptAt: result.finishedAt + judgement.delayMs, error: attempt.error,
      })
      await release(attempts)
      return retryIn(judgement.delayMs, judgement.error.message)
    }
    case 'defer': {
      ports.count('deferral', 1, { reason: judgement.error.code ?? judgement.error.is })
      ports.log.info('run.deferred', { conn: item.conn, run: item.run, reason: judgement.error.message })
      const asked = await ports.tracer.span('sync.defer', { parent: trace }, (span) =>
        ports.sayRequest(item.conn, requestAfter(item, judgement.notBefore, judgement.error), messageIds.deferral(item.trigger), span.traceparent)(),
      )
      ports.sayProgress({
        conn: item.conn, run: item.run, state: 'deferred', attempt: result.attempt, at: result.finishedAt, startedAt: result.startedAt,
        nextAttemptAt: judgement.notBefore, error: judgement.error.message,
      })
      await release([])
      return E.isLeft(asked) ? retryIn(sayAgainMs, asked.left.message) : done
    }
    case 'dead': {
      const dead = deadLetter(item, letter, end, attempts, judgement.error)
      const written = await ports.tracer.span('sync.dead-letter', { parent: trace }, (span) => ports.sayDead(dead, span.traceparent)())
      if (E.isLeft(written)) {
        await release(attempts)
        return retryIn(sayAgainMs, written.left.message)
      }
      ports.count('dead-letter', 1, { reason: judgement.error.is })
      const said = await report(ports, end)
      await release([])
      if (E.isLeft(said)) return retryIn(sayAgainMs, said.left.message)
      return { is: 'poison', reason: judgement.error.message, report: [] }
    }
    case 'skipped':
    case 'settled': {
      const said = await report(ports, end)
      await release([])
      return E.isLeft(said) ? retryIn(sayAgainMs, said.left.message) : done
    }
  }
}

const report = (ports: Ports, { result, trace }: RunEnd) =>
  ports.tracer.span('sync.report', { parent: trace }, (span) => {
    const facts = { conn: result.conn, run: result.run, outcome: result.outcome, durationMs: result.finishedAt - result.startedAt, traceId: result.traceId, ...(result.reason === undefined ? {} : { reason: result.reason }) }
    if (result.error !== undefined) ports.log.warn('run.ended', { ...facts, error: result.error.message, mend: result.error.mend })
    else if (result.quiet) ports.log.debug('run.ended', facts)
    else ports.log.info('run.ended', facts)
    return ports.sayResult(result, span.traceparent)()
  })

const requestAfter = (item: WorkItem, notBefore: number, why: SyncFailure) => ({
  cause: 'deferral' as const,
  notBefore: Math.ceil(notBefore),
  reason: why.message,
  ...(item.mode === undefined ? {} : { mode: item.mode }),
  ...(item.dryRun === undefined ? {} : { dryRun: item.dryRun }),
  // Without it the letter of a redrive that was put off would stay although its work was done.
  ...(item.redriveOf === undefined ? {} : { redriveOf: item.redriveOf }),
})

const deadLetter = (item: WorkItem, letter: Letter, end: RunEnd, attempts: ReadonlyArray<AttemptError>, error: SyncFailure): DeadLetter => ({
  conn: item.conn,
  stream: letter.stream,
  seq: letter.seq,
  body: letter.body,
  headers: { ...letter.headers },
  attempts: [...attempts],
  at: end.result.finishedAt,
  why: error.message,
  run: item.run,
  error,
  fence: end.result.fence,
  writtenBy: 'worker',
  cursorsBefore: Object.fromEntries(end.result.flows.map(({ flow, cursorBefore }) => [flow, cursorBefore ?? null])),
  ...(end.result.traceId === undefined ? {} : { traceId: end.result.traceId }),
  ...(item.redriveOf === undefined ? {} : { redriveOf: item.redriveOf }),
})

const errorLine = (error: SyncFailure | undefined): string => {
  if (error === undefined) return ''
  const where = [error.flow, error.side].filter((part) => part !== undefined).join(' ')
  return `${where === '' ? '' : `${where}: `}${error.message}${error.code === undefined ? '' : ` [${error.code}]`}`
}

