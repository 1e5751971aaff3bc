/** Knows how a side looks in the flow's common names: the engine reads and writes through this and never sees a map. */
import type { Change, ChangePage, Reader, Side, Write, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { SideName } from './classify.ts'
import { fromCommon, toCommon, type FieldMap } from './projection.ts'

/** `keepsRest`: an update replaces the whole item (a card, an event), so fields outside the map are read and written back. */
export const projectedSide = (side: Side, name: SideName, map: FieldMap, keepsRest: boolean): Side => {
  if (map === undefined) return side
  const change = (c: Change): Change => (c.is === 'item' ? { is: 'item', item: toCommon(c.item, name, map) } : c)
  /** A batch has this side's own names. */
  const page = ({ changes, resume, last }: ChangePage): ChangePage => ({ changes: changes.map(change), resume, last })
  const reader = (r: Reader): Reader => ({ ...r, next: pipe(r.next, TE.map(page)) })

  const own = (write: Write): Write => (write.do === 'delete' ? write : { ...write, fields: fromCommon(write.fields, name, map) })
  const withRest = async (writes: ReadonlyArray<Write>, signal: AbortSignal): Promise<E.Either<SyncFailure, ReadonlyArray<Write>>> => {
    const ids = writes.flatMap((w) => (w.do === 'update' ? [w.remoteId] : []))
    if (!keepsRest || ids.length === 0) return E.right(writes.map(own))
    const now = await side.fetch(ids, signal)()
    if (E.isLeft(now)) return now
    const raw = new Map(now.right.flatMap((c) => (c.is === 'item' ? [[c.item.remoteId, c.item.fields] as const] : [])))
    return E.right(writes.map(own).map((w) => (w.do === 'update' ? { ...w, fields: { ...(raw.get(w.remoteId) ?? {}), ...w.fields } } : w)))
  }
  const common = (wrote: Wrote): Wrote => {
    if (wrote.is !== 'done' || wrote.fields === undefined) return wrote
    const item = toCommon({ remoteId: wrote.remoteId, key: '', version: wrote.version, fields: wrote.fields }, name, map)
    return { ...wrote, fields: item.fields }
  }

  const { ledger } = side
  return {
    ...side,
    read: ({ asRows: _, ...ask }) => pipe(side.read(ask), TE.map(reader)),
    fetch: (ids, signal) => pipe(side.fetch(ids, signal), TE.map((changes) => changes.map(change))),
    find: (keys, signal) => pipe(side.find(keys, signal), TE.map((items) => items.map((item) => toCommon(item, name, map)))),
    write: (writes, signal) => async () => {
      const ready = await withRest(writes, signal)
      if (E.isLeft(ready)) return ready
      const wrote = await side.write(ready.right, signal)()
      return E.isLeft(wrote) ? wrote : E.right(wrote.right.map(common))
    },
    ...(ledger === undefined
      ? {}
      : { ledger: { ...ledger, commit: (c, signal) => ledger.commit({ ...c, writes: c.writes.map(own), settle: (wrote) => c.settle(wrote.map(common)) }, signal) } }),
  }
}
