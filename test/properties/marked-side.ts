/** A side whose every content carries the side's own name, as the engine sees it: two equal items never look equal. */
import type { Change, Side, Write, Wrote } from '#libs/connectors/connector.ts'
import type { Fields, Item } from '#libs/domain/record.ts'
import { pipe, TE } from '#libs/fp.ts'

const mark = 'X-SIDE'

export const unmarked = ({ [mark]: _, ...fields }: Fields): Fields => fields

export const marked = (name: string, fields: Fields): Fields => ({ ...fields, [mark]: name })

export const markedSide = (name: string, side: Side): Side => {
  const item = (i: Item): Item => ({ ...i, fields: marked(name, i.fields) })
  const change = (c: Change): Change => (c.is === 'item' ? { is: 'item', item: item(c.item) } : c)
  const bare = (write: Write): Write => {
    if (write.do === 'delete') return write
    return { ...write, fields: unmarked(write.fields) }
  }
  const stored = (write: Write | undefined, wrote: Wrote): Wrote =>
    wrote.is !== 'done' || write === undefined || write.do === 'delete' ? wrote : { ...wrote, fields: { ...(wrote.fields ?? bare(write).do === 'delete' ? {} : write.fields), [mark]: name } }
  const { ledger } = side
  return {
    ...side,
    read: (ask) => pipe(side.read(ask), TE.map((reader) => ({ ...reader, next: pipe(reader.next, TE.map((page) => ({ ...page, changes: page.changes.map(change) }))) }))),
    fetch: (ids, signal) => pipe(side.fetch(ids, signal), TE.map((changes) => changes.map(change))),
    find: (keys, signal) => pipe(side.find(keys, signal), TE.map((items) => items.map(item))),
    write: (writes, signal) => pipe(side.write(writes.map(bare), signal), TE.map((answers) => answers.map((answer, i) => stored(writes[i], answer)))),
    ...(ledger === undefined ? {} : { ledger: { ...ledger, commit: (commit, signal) => ledger.commit({ ...commit, writes: commit.writes.map(bare), settle: (wrote) => commit.settle(wrote.map((answer, i) => stored(commit.writes[i], answer))) }, signal) } }),
  }
}
