/** The bucket of provider accounts in memory: revisions, followers and troubles as NATS has them. */
import type { ProviderState } from '#libs/contracts/provider-state.ts'
import { E } from '#libs/fp.ts'
import type { Kept, ProviderStore, StoreTrouble } from '../../services/sync-worker/shared-states.ts'

export type MemoryProviders = ProviderStore & {
  readonly states: ReadonlyMap<string, Kept>
  /** Reads and writes that reached it. */
  readonly asked: { reads: number; writes: number }
  /** Every call fails so, until it is taken away. */
  readonly trouble: { now: StoreTrouble | undefined }
  /** Writes are stored and their answers lost, as many as this says. */
  readonly lost: { answers: number }
}

export const memoryProviders = (): MemoryProviders => {
  const states = new Map<string, Kept>()
  const followers = new Set<(key: string, kept: Kept) => void>()
  const asked = { reads: 0, writes: 0 }
  const trouble: MemoryProviders['trouble'] = { now: undefined }
  const lost = { answers: 0 }
  let last = 0
  const turn = () => new Promise((done) => setImmediate(done))

  return {
    states, asked, trouble, lost,
    read: (key) => async () => {
      await turn()
      if (trouble.now !== undefined) return E.left(trouble.now)
      asked.reads++
      return E.right(states.get(key) ?? { state: null, revision: 0 })
    },
    write: (key, state: ProviderState | null, revision) => async () => {
      await turn()
      if (trouble.now !== undefined) return E.left(trouble.now)
      asked.writes++
      if ((states.get(key)?.revision ?? 0) !== revision) return E.left({ is: 'refused' })
      const kept = { state, revision: ++last }
      states.set(key, kept)
      setImmediate(() => followers.forEach((tell) => tell(key, kept)))
      return lost.answers-- > 0 ? E.left({ is: 'refused' }) : E.right(last)
    },
    follow: (onKept) => {
      states.forEach((kept, key) => onKept(key, kept))
      followers.add(onKept)
      return { ready: Promise.resolve(), stop: async () => void followers.delete(onKept) }
    },
  }
}
