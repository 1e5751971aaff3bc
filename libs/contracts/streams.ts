/**
 * Knows every stream, bucket and durable consumer as data (DESIGN §4, NATS.md §1). Provisioning compares this with the
 * server; it creates what is missing and reports what differs.
 */
import type { BucketDef, ConsumerDef, StreamDef } from './definitions.ts'
import { defaultMaxAttempts } from '../domain/connection.ts'
import { buckets, durables, streams, subjects, type Lane } from './subjects.ts'

const minute = 60_000
const day = 24 * 60 * minute

export const streamDefs: ReadonlyArray<StreamDef> = [
  {
    name: streams.requests, subjects: [subjects.requests], retention: 'workqueue', discard: 'new',
    discardNewPerSubject: true, maxMsgsPerSubject: 16, duplicateWindowMs: 2 * minute,
  },
  {
    name: streams.work, subjects: [subjects.works('hot'), subjects.works('cold')], retention: 'workqueue', discard: 'new',
    discardNewPerSubject: true, maxMsgsPerSubject: 1, duplicateWindowMs: 2 * minute,
  },
  { name: streams.results, subjects: [subjects.results], retention: 'limits', discard: 'old', maxAgeMs: 7 * day, duplicateWindowMs: 2 * minute },
  { name: streams.dead, subjects: [subjects.deads], retention: 'limits', discard: 'old', maxAgeMs: 90 * day, duplicateWindowMs: 10 * minute },
  {
    name: streams.advisories, subjects: [subjects.advisories.maxDeliveries, subjects.advisories.terminated],
    retention: 'limits', discard: 'old', maxAgeMs: 7 * day, duplicateWindowMs: 2 * minute,
  },
  /** Previous versions of whatever a run overwrote or deleted: the archive guard of SYNC.md §C, 30 days. */
  { name: streams.archive, subjects: [subjects.archives], retention: 'limits', discard: 'old', maxAgeMs: 30 * day, duplicateWindowMs: 2 * minute },
  /** What people had done, above all every deletion they asked for (R 15.6). */
  { name: streams.audit, subjects: [subjects.audits], retention: 'limits', discard: 'old', maxAgeMs: 365 * day, duplicateWindowMs: 2 * minute },
]

export const bucketDefs: ReadonlyArray<BucketDef> = [
  { name: buckets.connections, history: 8 },
  { name: buckets.state, history: 1, markerTtlMs: 1_000, allowAtomic: true, allowDirect: 'with-one-replica' },
  { name: buckets.status, history: 1 },
  { name: buckets.stats, history: 1 },
  { name: buckets.history, history: 64 },
  { name: buckets.scheduler, history: 1 },
  { name: buckets.providers, history: 1 },
  { name: buckets.provenance, history: 1, markerTtlMs: 60_000 },
  { name: buckets.secrets, history: 1 },
]

/** Lease of a connection: SYNC.md §C.1. */
export const leaseTtlMs = 30_000

/** A little longer than the lease: by the time a dead worker's message is redelivered, its lease has lapsed. */
export const workAckWaitMs = 32_000

const laneConsumer = (lane: Lane): ConsumerDef => ({
  stream: streams.work, durable: durables.work(lane), filterSubjects: [subjects.works(lane)], ackWaitMs: workAckWaitMs,
  maxDeliver: defaultMaxAttempts, maxAckPending: 10_000,
})

export const consumerDefs: ReadonlyArray<ConsumerDef> = [
  laneConsumer('hot'),
  laneConsumer('cold'),
  // The mailbox holds requests with nak(delay): a limit on pending acks would block it (NATS.md §6.4).
  { stream: streams.requests, durable: durables.mailbox, ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: -1 },
  { stream: streams.results, durable: durables.results, ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: 5_000 },
  { stream: streams.dead, durable: durables.dead, ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: 1_000 },
  { stream: streams.advisories, durable: durables.advisories, ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: 1_000 },
]
