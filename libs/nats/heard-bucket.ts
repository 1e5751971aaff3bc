/**
 * Knows the newest entries of some keys of a bucket without asking for them again, by hearing every write to them. Does not
 * know what is kept there.
 *
 * One server hands a message to who listens before it stores it, and so before anybody is told that it was stored; what is
 * sent to us later as a consequence of that write comes after it, over the same connection. So an entry that was read, and
 * of which nothing was heard since, is the newest there is for whoever acts on what it was sent. That does not hold between
 * servers, which pass messages on by several ways: there, and without the right to listen, nothing is remembered.
 *
 * Nobody hears of what the API of the stream removes or brings back (a purge, a deleted message, a restored snapshot), so
 * nothing is remembered for longer than a minute.
 */
import { E, type TE } from '#libs/fp.ts'
import type { Bus } from './connect.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import type { Bucket } from './kv.ts'
import type { KvEntry } from './kv-entry.ts'
import type { SoleReplica } from './sole-replica.ts'

export type HeardBucket = {
  /** As the bucket has it. Only live entries are remembered. */
  readonly get: (key: string) => TE.TaskEither<NatsFailure, KvEntry | undefined>
  readonly stop: () => void
}

export type HeardOptions = {
  /** Which keys are listened to; a key that is asked for has to match. */
  readonly filter: string
  /** Whether a read of the bucket can be stale, and whether it is still the same bucket. */
  readonly sole: Pick<SoleReplica, 'isSole' | 'doubts'>
  readonly onFailure: (failure: NatsFailure) => void
  /** For how long nothing is read again that nobody was heard to write; a minute. */
  readonly rememberMs?: number
}

/** About 50 MB of checkpoints with long cursors. */
const mostEntries = 50_000
/** A write is heard before it is stored: what is read right after it may still be what was there before. */
const unsettledMs = 1_000

type Remembered = { readonly entry: KvEntry; readonly until: number; readonly doubts: number }

/** `bucket`: what is read where nothing is remembered. */
export const heardBucket = (bus: Bus, bucket: Pick<Bucket, 'get' | 'subjectOf'>, { filter, sole, onFailure, rememberMs = 60_000 }: HeardOptions): HeardBucket => {
  const entries = new Map<string, Remembered>()
  const unsettled = new Map<string, number>()
  let mayHear = true

  const prefix = bucket.subjectOf('k').slice(0, -1)
  const sub = bus.nc.subscribe(prefix + filter, {
    callback: (err, msg) => {
      if (err !== null) {
        mayHear = false
        entries.clear()
        return onFailure(natsFailureOf(err))
      }
      const key = msg.subject.slice(prefix.length)
      entries.delete(key)
      unsettled.set(key, performance.now() + unsettledMs)
    },
  })
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const [key, until] of unsettled) if (until < now) unsettled.delete(key)
    for (const [key, { until }] of entries) if (until < now) entries.delete(key)
  }, 10_000)
  sweep.unref()

  /** One server and no other, by what it says of itself when we connect. */
  const isAlone = (): boolean => mayHear && sole.isSole() && bus.nc.info?.cluster === undefined && bus.nc.info?.jetstream === true

  return {
    get: (key) => async () => {
      const known = entries.get(key)
      if (known !== undefined && known.until > performance.now() && isAlone() && known.doubts === sole.doubts()) return E.right(known.entry)
      const doubts = sole.doubts()
      const read = await bucket.get(key)()
      if (E.isLeft(read) || read.right === undefined || read.right.value === null) return read
      const now = performance.now()
      const isSettled = (unsettled.get(key) ?? 0) < now
      if (isSettled && isAlone() && doubts === sole.doubts() && entries.size < mostEntries) entries.set(key, { entry: read.right, until: now + rememberMs, doubts })
      return read
    },
    stop: () => {
      mayHear = false
      clearInterval(sweep)
      entries.clear()
      if (!bus.nc.isClosed()) sub.unsubscribe()
    },
  }
}
