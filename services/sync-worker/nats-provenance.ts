/** Knows how the registry of provenance is kept in KV `sync_provenance`, asked of its leader. */
import { encode } from '#libs/contracts/decode.ts'
import { ProvenanceEntry } from '#libs/contracts/provenance.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { Provenance } from '#libs/domain/provenance.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { decoded, storeFailure } from './nats-stored.ts'
import type { ProvenanceRegistry, StoreFailure, Stored } from './ports.ts'

/** Questions under way at once: a page of a large flow asks for thousands. */
const atOnce = 128

export const natsProvenance = (bus: Bus, isFlow: ProvenanceRegistry['isFlow']): ProvenanceRegistry => {
  const bucket = openBucket(bus)(buckets.provenance)

  const readOne = (key: string): TE.TaskEither<StoreFailure, Stored<Provenance | null>> =>
    pipe(
      bucket.get(key),
      TE.mapLeft(storeFailure),
      TE.chainEitherK((entry): E.Either<StoreFailure, Stored<Provenance | null>> => {
        if (entry === undefined) return E.right({ value: null, revision: 0 })
        if (entry.value === null) return E.right({ value: null, revision: entry.revision })
        return decoded(ProvenanceEntry, buckets.provenance, entry)
      }),
    )

  return {
    read: (keys) => async () => {
      const found = new Map<string, Stored<Provenance | null>>()
      for (let from = 0; from < keys.length; from += atOnce) {
        const some = keys.slice(from, from + atOnce)
        const read = await Promise.all(some.map((key) => readOne(key)()))
        for (const [i, one] of read.entries()) {
          if (E.isLeft(one)) return one
          found.set(some[i] ?? '', one.right)
        }
      }
      return E.right(found)
    },
    write: (key, entry, revision) => pipe(bucket.update(key, encode(ProvenanceEntry, entry), revision), TE.mapLeft(storeFailure)),
    // Without a trace: a marker for each item there ever was would stay for ever
    remove: (key, revision) => pipe(bucket.purge(key, { previousSeq: revision, ttlSeconds: markerSeconds }), TE.bimap(storeFailure, () => undefined)),
    isFlow,
  }
}

/** Longer than any write that is under way. */
const markerSeconds = 60
