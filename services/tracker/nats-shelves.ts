/** Binds the tracker's shelves to key-value buckets in NATS. Does not know what stands on them. */
import type { Clock } from '#libs/clock.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { E, TE, pipe } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { publish } from '#libs/nats/publish.ts'
import { listMessages, streamInfo } from '#libs/nats/stream-messages.ts'
import { plain, troubleOf } from './nats-trouble.ts'
import type { Bucket, HistoryBucket } from './shelves.ts'

/** A pass over a whole bucket takes seconds at a million keys (NATS.md §13); longer means that nobody answers. */
const longestScanMs = 30_000

export const bucketOn = (bus: Bus, clock: Pick<Clock, 'sleep'>, name: string): Bucket => {
  const bucket = openBucket(bus)(name)
  return {
    get: (key) => plain(bucket.get(key)),
    update: (key, value, revision) => plain(bucket.update(key, value, revision)),
    scan: (visit) => async () => {
      const failed = Promise.withResolvers<NatsFailure>()
      const enough = new AbortController()
      const watch = bucket.watch('>', (entry) => { if (entry.value !== null) visit(entry) }, { onError: failed.resolve })
      const late = clock.sleep(longestScanMs, enough.signal).then((): NatsFailure => ({ is: 'timeout', subject: name }))
      const end = await Promise.race([watch.ready, failed.promise, late])
      enough.abort()
      await watch.stop()
      return end === undefined ? E.right(undefined) : E.left(troubleOf(end))
    },
  }
}

export const historyOn = (bus: Bus, clock: Pick<Clock, 'sleep'>): HistoryBucket => {
  const past = openBucket(bus)(buckets.history)
  const pastStream = `KV_${buckets.history}`
  return {
    ...bucketOn(bus, clock, buckets.history),
    history: (key) => plain(past.history(key)),
    keys: plain(past.keys()),
    // A value that rolls up its subject: the revisions before it go in the very write that stores it
    replace: (key, value, revision) => pipe(publish(bus)(past.subjectOf(key), value, { headers: { 'Nats-Rollup': 'sub' }, expect: { lastSubjectSequence: revision } }), TE.bimap(troubleOf, () => undefined)),
    purge: (key, revision) => pipe(past.purge(key, { previousSeq: revision }), TE.bimap(troubleOf, () => undefined)),
    bounds: pipe(streamInfo(bus)(pastStream), TE.bimap(troubleOf, ({ firstSeq, lastSeq }) => ({ first: firstSeq, last: lastSeq }))),
    from: (fromSeq, limit) => plain(listMessages(bus)(pastStream, { filterSubject: '>', fromSeq, limit })),
  }
}
