/** EFFECT: a request of the mailbox becomes work, is kept for later, or is recorded as skipped (NATS.md §6.3). */
import { messageIds } from '#libs/contracts/subjects.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import { E, TE } from '#libs/fp.ts'
import { keepMs, servedBy, workOfRequest, type Heard } from './admit.ts'
import type { Watched } from './due.ts'
import { mint } from './mint.ts'
import type { Ports, StoreFailure, World } from './ports.ts'

export type KeptFailure = { readonly is: 'put-off'; readonly ms: number; readonly reason: string }

export type Taken = { readonly watched: Watched; readonly heard: Heard; readonly parent: string | undefined; readonly paused: boolean }

export const takeRequest = (ports: Ports, world: World) => ({ watched, heard, parent, paused }: Taken): TE.TaskEither<StoreFailure | KeptFailure, void> => () =>
  world.tracer.span('sync.request', { parent, attributes: { conn: watched.conn, lane: watched.lane, requestSeq: heard.seq, attempt: heard.deliveries } }, async (span) => {
    const skip = (reason: string) => ports.publishSkipped(skipped(watched, heard, reason, world.clock.now(), span.traceId), span.traceparent)
    const counted = (outcome: string, run?: string): E.Right<void> => {
      span.set({ outcome, ...(run === undefined ? {} : { run }) })
      world.metrics.count('syncline.requests', { outcome })
      world.log.info(`request.${outcome}`, { conn: watched.conn, requestSeq: heard.seq, run, traceId: span.traceId })
      return { _tag: 'Right', right: undefined }
    }
    if (paused) return TE.map(() => counted('paused').right)(skip('paused'))()

    const { item, msgId } = workOfRequest(watched, heard, mint(world))
    const published = await ports.publishWork(item, msgId, span.traceparent)()
    if (E.isLeft(published)) return published
    // A duplicate: it was admitted before, and the acknowledgement of the request got lost
    if (published.right !== 'full') return counted(published.right === 'stored' ? 'admitted' : 'repeated', item.run)

    const status = await ports.readStatus(watched.conn)()
    if (E.isLeft(status)) return status
    const run = servedBy(heard, status.right)
    if (run !== undefined) return TE.map(() => counted('served', run).right)(skip(`served: run ${run} began after the request and did its work`))()
    span.set({ outcome: 'kept' })
    world.log.debug('request.kept', { conn: watched.conn, requestSeq: heard.seq, delayMs: keepMs(heard), traceId: span.traceId })
    return E.left({ is: 'put-off', ms: keepMs(heard), reason: 'queued or running already' })
  })

const skipped = ({ conn, lane }: Watched, { seq, request }: Heard, reason: string, now: number, traceId: string): RunResult => ({
  conn, run: request.run ?? messageIds.requested(seq), outcome: 'skipped', cause: request.cause ?? 'manual', startedAt: now, finishedAt: now,
  attempt: 0, quiet: false, fence: 0, flows: [], lane, requestSeq: seq, reason, traceId,
})
