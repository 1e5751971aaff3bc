/** Knows what clients do all the while: edits with values that tell them apart, each written down with how it went. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { UnderTest } from './connections.ts'
import { monotonic, type HistoryRecord, type SideName } from './history.ts'
import type { Chance } from './prng.ts'

export type Load = {
  readonly counts: () => { readonly ok: number; readonly fail: number; readonly unknown: number }
  /** No new edits; resolves when those under way are over. */
  readonly stop: () => Promise<void>
}

export type LoadOptions = { readonly clients: number; readonly perSecond: number; readonly items: number; readonly chance: Chance; readonly record: (record: HistoryRecord) => void }

/** An item is one client's: two of them never race for it, the engine does. */
const deleteShare = 0.08

export const startLoad = (connections: ReadonlyArray<UnderTest>, { clients, perSecond, items, chance, record }: LoadOptions): Load => {
  const counts = { ok: 0, fail: 0, unknown: 0 }
  const ending = new AbortController()
  const client = async (c: number, own: Chance): Promise<void> => {
    for (let n = 1; !ending.signal.aborted; n++) {
      const { conn, twoWay, sides } = own.pick(connections)
      const side: SideName = twoWay && own.next() < 0.5 ? 'B' : 'A'
      const key = keyOf(conn, own.between(0, Math.ceil(items / clients) - 1) * clients + c)
      const value = own.next() < deleteShare ? null : `w${c}-${n}`
      const at = monotonic()
      const { kind, before, result } = await sides[side].edit(key, value)
      if (kind !== undefined) {
        counts[result] += 1
        record({ is: 'op', at, to: monotonic(), conn, side, key, kind, value, before, result })
      }
      // Not a beat: what clients do is not in step with anything.
      await sleep((clients / perSecond) * 1_000 * 2 * own.next(), undefined, { signal: ending.signal }).catch(() => undefined)
    }
  }
  const running = Array.from({ length: clients }, (_, c) => client(c, chance.fork(`client ${c}`)))
  return {
    counts: () => counts,
    stop: async () => {
      ending.abort()
      await Promise.all(running)
    },
  }
}

/** What stands at the sources before anything is synced. */
export const seedItems = async (connections: ReadonlyArray<UnderTest>, items: number, record: (record: HistoryRecord) => void): Promise<void> => {
  let n = 0
  await Promise.all(connections.map(async ({ conn, sides }) => {
    await Promise.all(Array.from({ length: items }, async (_, i) => {
      const [at, value] = [monotonic(), `seed-${(n += 1)}`]
      const { kind = 'create', before, result } = await sides.A.edit(keyOf(conn, i), value)
      record({ is: 'op', at, to: monotonic(), conn, side: 'A', key: keyOf(conn, i), kind, value, before, result })
    }))
  }))
}

const keyOf = (conn: string, n: number): string => `${conn}-${n}`
