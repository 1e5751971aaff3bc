/** A stand-in for KV `sync_provenance` in memory: one counter of revisions, writes conditional as the server has them. */
import type { Provenance } from '#libs/domain/provenance.ts'
import { E } from '#libs/fp.ts'
import type { ProvenanceRegistry, Stored } from '../../services/sync-worker/ports.ts'

export type MemoryProvenance = ProvenanceRegistry & {
  readonly entries: ReadonlyMap<string, Stored<Provenance | null>>
  readonly asked: { reads: number; writes: number }
}

export const memoryProvenance = (isFlow: ProvenanceRegistry['isFlow'] = () => true): MemoryProvenance => {
  const entries = new Map<string, Stored<Provenance | null>>()
  let revision = 0
  const put = (key: string, value: Provenance | null, expected: number) => {
    if ((entries.get(key)?.revision ?? 0) !== expected) return E.left({ is: 'refused' } as const)
    entries.set(key, { value, revision: ++revision })
    return E.right(revision)
  }
  const registry: MemoryProvenance = {
    entries,
    asked: { reads: 0, writes: 0 },
    isFlow,
    read: (keys) => async () => {
      registry.asked.reads += keys.length
      return E.right(new Map(keys.flatMap((key) => (entries.has(key) ? [[key, entries.get(key) ?? { value: null, revision: 0 }]] : []))))
    },
    write: (key, entry, expected) => async () => {
      registry.asked.writes += 1
      return put(key, entry, expected)
    },
    remove: (key, expected) => async () => E.map(() => undefined)(put(key, null, expected)),
  }
  return registry
}
