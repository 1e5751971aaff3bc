/** Knows who says each message to whom, where it is kept, under which id, and when it is let go. Written by hand. */
import { buckets, durables, messageIds, stateKeys, streams, subjects, type Lane } from '#libs/contracts/subjects.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import type { Outcome } from '#libs/domain/states.ts'

export type Guide = {
  /** Subject, or bucket and key. */
  readonly on: string
  readonly says: string
  readonly hears: string
  readonly kept: string
  /** `Nats-Msg-Id`, for what is stored in a stream. */
  readonly id?: string
  /** When the listener acknowledges it. */
  readonly ack?: string
}

/** Stand-ins that show where something goes in a subject, a key or an id. */
const conn = '<conn>' as ConnectionId
const flow = '<flow>' as FlowId
const number = (name: string): number => name as unknown as number
const code = (text: string): string => `\`${text}\``
const inBucket = (bucket: string, key: string): string => `KV \`${bucket}\`, key \`${key}\``

/** By the message's name and version, in the order a run meets them. */
export const guides: Readonly<Record<string, Guide>> = {
  'connection.1': {
    on: inBucket(buckets.connections, conn), says: '`syncline apply`, `syncline up`, and whoever writes the bucket', hears: 'scheduler, sync-worker, tracker, by a watch',
    kept: 'the last 8 versions',
  },
  'request.1': {
    on: subjects.request(conn), says: 'anybody: `nats pub`, `syncline sync`, the sync-worker for a deferral, the tracker for a redrive', hears: 'scheduler',
    kept: streams.requests, id: `${code(messageIds.deferral('<trigger>'))} for a deferral; a random one from the scheduler; ${code(messageIds.redrive(number('<seq>'), '<token>'))} for a redrive; none needed`,
    ack: 'when its work item is stored, a run that began after it has succeeded, or it was recorded as skipped; until then it is handed back with a delay. Hopeless ones become a dead letter and are terminated',
  },
  'trigger-question.1': { on: subjects.trigger(conn), says: 'anybody, as a request (`nats req`)', hears: 'scheduler', kept: 'nowhere' },
  'operator-question.1': { on: subjects.operate(conn), says: 'operators, as a request; nobody else may publish there', hears: 'scheduler', kept: 'nowhere' },
  'trigger-answer.1': { on: 'the reply subject', says: 'scheduler', hears: 'whoever asked', kept: 'nowhere' },
  'work-item.1': {
    on: subjects.work('<lane>' as Lane, conn), says: 'scheduler', hears: 'sync-worker',
    kept: `${streams.work}, at most one for each connection and lane; the next is refused, and that refusal is the answer "queued or running already"`,
    id: `${code(messageIds.tick(conn, number('<slot>')))} for a slot, ${code(messageIds.first(conn, number('<revision>')))} for a first sync, ${code(messageIds.requested(number('<seq>')))} for a request, a random one for a trigger`,
    ack: 'after its result is stored and the lease is given back. A failed attempt is handed back with a growing delay; the last one is terminated, after its dead letter is stored',
  },
  'lease.1': { on: inBucket(buckets.state, stateKeys.lease(conn)), says: 'sync-worker', hears: 'sync-worker; the tracker reads the errors of earlier attempts from it', kept: 'with a time to live, renewed at a third of it; its revision is the fence' },
  'checkpoint.1': { on: inBucket(buckets.state, stateKeys.checkpoint(conn, flow)), says: 'sync-worker', hears: 'sync-worker', kept: 'one version; every write is conditional on the lease. A flow into PostgreSQL keeps its checkpoint there instead' },
  'ledger-page.1': { on: inBucket(buckets.state, stateKeys.page(conn, flow, number('<n>'))), says: 'sync-worker', hears: 'sync-worker', kept: 'one version; written in one atomic batch with the checkpoint and the lease' },
  'provenance.1': { on: inBucket(buckets.provenance, '<place>.<item>'), says: 'sync-worker', hears: 'sync-worker', kept: 'one version' },
  'provider-state.1': { on: inBucket(buckets.providers, '<provider>.<account>'), says: 'sync-worker', hears: 'sync-worker', kept: 'one version' },
  'conflict-question.1': { on: subjects.resolve('<strategy>'), says: 'sync-worker', hears: 'conflict-resolver, one replica of the queue group', kept: 'nowhere' },
  'conflict-answer.1': { on: 'the reply subject', says: 'conflict-resolver', hears: 'sync-worker', kept: 'nowhere' },
  'archived-version.1': {
    on: subjects.archive(conn, flow, '<link>'), says: 'sync-worker, before it overwrites or deletes', hears: '`syncline versions`',
    kept: streams.archive, id: code(messageIds.archived('<run>', '<flow>', '<link>', '<side>', '<digest of the version>')),
  },
  'archived-part.1': {
    on: subjects.archivedPart(conn, flow, '<link>'), says: 'sync-worker, before a version that no message can hold', hears: 'sync-worker and the command line, who read that version',
    kept: streams.archive, id: code(messageIds.archivedPart('<id of the version>', 1)),
  },
  'created-items.1': {
    on: subjects.created(conn, flow, '<side>'), says: 'sync-worker, after it has created them', hears: 'sync-worker, for `syncline undo`',
    kept: streams.archive, id: code(messageIds.created('<run>', '<flow>', '<first link>', '<side>')),
  },
  'audit-record.1': {
    on: subjects.audit('<conn>'), says: 'sync-worker, tracker and the command line, before they do what a person asked for', hears: '`syncline audit`',
    kept: streams.audit,
  },
  'progress.1': { on: subjects.progress(conn), says: 'sync-worker, at most four a second for a run', hears: 'tracker, the command line', kept: 'nowhere; the last one is in the status while a run goes on' },
  'control-question.1': { on: subjects.control(conn), says: '`syncline cancel`, as a request', hears: 'every sync-worker', kept: 'nowhere' },
  'control-answer.1': { on: 'the reply subject', says: 'the sync-worker that runs the connection; if none does, one of them that looked into the queue', hears: 'whoever asked', kept: 'nowhere' },
  'result.1': {
    on: subjects.result(conn, '<outcome>' as Outcome), says: 'sync-worker; the scheduler for `skipped`; the tracker for a run whose worker died on its last attempt', hears: 'tracker, and whoever subscribes',
    kept: streams.results, id: `${code(messageIds.result('<run>'))}, the run id`, ack: 'by the tracker when history, status and statistics are written',
  },
  'dead-letter.1': {
    on: subjects.dead(conn), says: 'sync-worker; scheduler for requests that can never run; tracker where no worker could', hears: 'tracker, which alerts; `syncline dlq`',
    kept: streams.dead, id: code(messageIds.dead('<stream>', number('<seq>'))), ack: 'by the tracker when it was noticed; the letter stays until it is redriven, discarded or too old',
  },
  'parked-record.1': {
    on: subjects.dead(conn), says: 'sync-worker, for one record set aside so that the rest can go on', hears: 'tracker; `syncline dlq`',
    kept: streams.dead, id: code(messageIds.parked('<run>', '<flow>', '<link>')), ack: 'as a dead letter',
  },
  'status.1': { on: inBucket(buckets.status, conn), says: 'tracker', hears: 'scheduler (is it running?), the command line', kept: 'one version' },
  'history-entry.1': { on: inBucket(buckets.history, conn), says: 'tracker', hears: 'whoever asks: `nats kv history`', kept: 'the last 64 runs that were not quiet' },
  'stats.1': { on: inBucket(buckets.stats, conn), says: 'tracker', hears: 'tracker', kept: 'one version' },
  'api-question.1': { on: `${subjects.api('<verb>')} or ${subjects.api('<verb>', conn)}`, says: 'anybody, as a request', hears: 'tracker; the verbs and their answers are in services/tracker/README.md', kept: 'nowhere' },
  'alert.1': { on: subjects.alert('<conn>'), says: 'tracker', hears: 'whoever wakes people up', kept: 'nowhere' },
  'watermark.1': { on: inBucket(buckets.scheduler, 'shard-<n>'), says: 'scheduler', hears: 'scheduler, at its start', kept: 'one version; only moves forward' },
}

/** What each consumer of a stream is for. */
export const consumerNotes: Readonly<Record<string, string>> = {
  [durables.work('hot')]: 'sync-workers, lane hot',
  [durables.work('cold')]: 'sync-workers, lane cold',
  [durables.mailbox]: 'schedulers',
  [durables.results]: 'trackers: results',
  [durables.dead]: 'trackers: dead letters and parked records',
  [durables.advisories]: 'trackers: what the server gave up on',
}

export const bucketNotes: Readonly<Record<string, string>> = {
  [buckets.connections]: 'what people configure',
  [buckets.state]: 'lease, checkpoints and ledger pages: written under the lease only',
  [buckets.status]: 'how each connection is',
  [buckets.stats]: 'sums over all its runs; the last quiet ones wait in its status (`uncounted`)',
  [buckets.history]: 'its last runs',
  [buckets.scheduler]: 'how far slots were said',
  [buckets.provenance]: 'where copies came from, for flows that could bring an item to one place by two ways',
  [buckets.providers]: 'breaker and rate budget of a provider account, shared by all workers',
  [buckets.secrets]: 'reserved: nothing is kept there yet; secrets come from the environment of the workers',
}
