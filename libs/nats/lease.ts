/** Knows how one holder at a time gets, keeps and gives up a key. Does not know what the key stands for. */
import { E, TE } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import type { Bucket } from './kv.ts'
import type { KvEntry } from './kv-entry.ts'

export type Claim = {
  readonly key: string
  readonly value: Uint8Array
  readonly ttlSeconds: number
  /** Tells our own value from everybody else's, by a nonce inside: the only way to learn what a timeout did. */
  readonly isMine: (value: Uint8Array) => boolean
}

export type Holder = { readonly value: Uint8Array; readonly revision: number; readonly ageMs: number }

export type Acquired = { readonly is: 'held'; readonly revision: number } | ({ readonly is: 'busy' } & Holder)

export type Renewed = { readonly is: 'held'; readonly revision: number } | { readonly is: 'lost'; readonly holder?: Holder }

export type Lease = {
  /**
   * One round trip when the guess is right: 0, "no key there", unless a hint says otherwise. 0 is right for whatever
   * was given up more than two seconds ago, the revision `release` returned for what was given up a moment ago.
   */
  readonly acquire: (claim: Claim, hint?: number) => TE.TaskEither<NatsFailure, Acquired>
  readonly renew: (claim: Claim, revision: number) => TE.TaskEither<NatsFailure, Renewed>
  /** Undefined when it was no longer ours, which ends in the same: we do not hold it. */
  readonly release: (key: string, revision: number) => TE.TaskEither<NatsFailure, number | undefined>
}

const attempts = 4
const releaseMarkerSeconds = 1

/**
 * Answers are counted, clocks are not: how long a grant can be trusted is for the caller to count, from before it asked
 * (NATS.md §2.5). The bucket must read from the leader.
 */
export const leaseOn = (bucket: Bucket, now: () => number = Date.now): Lease => ({
  acquire:
    (claim, hint = 0) =>
    async () => {
      let expected = hint
      for (let attempt = 1; ; attempt++) {
        const written = await write(bucket, claim, expected)
        if (written._tag === 'Right') return E.right({ is: 'held', revision: written.right })
        if (!isUndecided(written.left) || attempt >= attempts) return written
        const read = await bucket.get(claim.key)()
        if (read._tag === 'Left') return read
        const entry = read.right
        if (!isLive(entry)) expected = entry?.revision ?? 0
        else if (claim.isMine(entry.value)) return E.right({ is: 'held', revision: entry.revision })
        else return E.right({ is: 'busy', ...holderOf(entry, now()) })
      }
    },

  renew: (claim, revision) => async () => {
    let expected = revision
    for (let attempt = 1; ; attempt++) {
      const written = await write(bucket, claim, expected)
      if (written._tag === 'Right') return E.right({ is: 'held', revision: written.right })
      if (!isUndecided(written.left) || attempt >= attempts) return written
      const read = await bucket.get(claim.key)()
      if (read._tag === 'Left') return read
      const entry = read.right
      if (!isLive(entry)) return E.right({ is: 'lost' })
      if (!claim.isMine(entry.value)) return E.right({ is: 'lost', holder: holderOf(entry, now()) })
      // Ours: our late renewal landed, or none did. Writing once more from here is the barrier behind which
      // nothing sent before can land any more (NATS.md §3.3.4)
      expected = entry.revision
    }
  },

  // A purge with a short TTL and not a "free" value: the marker goes by itself and leaves nothing, so a million idle
  // keys cost nothing and the next acquire expects 0; a free value would expire into a second marker.
  release: (key, revision) => async () => {
    const purged = await bucket.purge(key, { previousSeq: revision, ttlSeconds: releaseMarkerSeconds })()
    return purged._tag === 'Left' && purged.left.is === 'wrong-sequence' ? E.right(undefined) : purged
  },
})

const write = (bucket: Bucket, claim: Claim, revision: number) =>
  bucket.putWithTtl(claim.key, claim.value, { revision, ttlSeconds: claim.ttlSeconds })()

/** After these the key itself has to say who holds it. */
const isUndecided = (failure: NatsFailure): boolean =>
  failure.is === 'wrong-sequence' || failure.is === 'write-in-flight' || failure.is === 'timeout'

const isLive = (entry: KvEntry | undefined): entry is KvEntry & { readonly value: Uint8Array } =>
  entry !== undefined && entry.value !== null

const holderOf = (entry: KvEntry & { readonly value: Uint8Array }, now: number): Holder => ({
  value: entry.value,
  revision: entry.revision,
  ageMs: Math.max(0, now - entry.created), // two clocks: the server's and ours
})
