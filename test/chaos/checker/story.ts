/**
 * Knows a history by what happened to each item, each connection and each run, in order. Pure. `at` is the machine's monotonic
 * clock in ms; what a server stamped with its wall clock is brought to it by the first record.
 */
import type { Begin, Final, HistoryRecord, Nemesis, Op, Paired, Publish, Remote, SideName } from '../history.ts'

/** What an item of a side came to hold. `value` null: it is gone. */
export type Change = { readonly at: number; readonly by: 'client' | 'engine'; readonly isSure: boolean; readonly value: string | null; readonly record: Op | Remote }

export type Story = {
  readonly all: <K extends HistoryRecord['is']>(is: K) => ReadonlyArray<Extract<HistoryRecord, { readonly is: K }>>
  readonly begin: Begin | undefined
  readonly connection: (conn: string) => Paired | undefined
  /** Client ops and applied writes of the engine to one item, oldest first. */
  readonly changes: (conn: string, side: SideName, key: string) => ReadonlyArray<Change>
  readonly finals: (conn: string, side: SideName, key: string) => ReadonlyArray<Final>
  /** What stands on this side in the end was written down whole. */
  readonly isDumped: (conn: string, side: SideName) => boolean
  /** State messages of one connection in stream order. */
  readonly publishes: (conn: string) => ReadonlyArray<Publish>
  /** A server's wall clock on the machine's monotonic one. */
  readonly wall: (ms: number) => number
  /** Something was being done to this target, or to any, at some time of this span. */
  readonly disturbed: (from: number, to: number, what?: RegExp, target?: string) => boolean
  /** From here on the engine must not write any more; undefined: the rig did not come so far. */
  readonly silentFrom: number | undefined
  readonly endAt: number
  /** Texts that nobody may find in logs and results. */
  readonly secrets: ReadonlyArray<string>
}

const writes = new Set<Remote['verb']>(['CREATE', 'UPDATE', 'DELETE'])
export const isWrite = ({ verb }: Remote): boolean => writes.has(verb)

/** Seen where the item stands; what a worker tells of itself comes on top of that. */
export const isSeenThere = ({ by }: Remote): boolean => by !== 'connector'

export const otherSide = (side: SideName): SideName => (side === 'A' ? 'B' : 'A')

/** In whatever order the records come. */
export const storyOf = (records: ReadonlyArray<HistoryRecord>, secrets: ReadonlyArray<string> = []): Story => {
  const history = [...records].sort((x, y) => x.at - y.at)
  const byKind = Map.groupBy(history, ({ is }) => is)
  const all: Story['all'] = <K extends HistoryRecord['is']>(is: K) => (byKind.get(is) ?? []) as unknown as ReadonlyArray<Extract<HistoryRecord, { readonly is: K }>>
  const [begin] = all('begin')
  const connections = new Map(all('connection').map((one) => [one.conn, one]))
  const changes = new Map<string, Array<Change>>()
  const note = (conn: string, side: SideName, key: string, change: Change): void => {
    const place = placeOf(conn, side, key)
    const known = changes.get(place)
    if (known === undefined) changes.set(place, [change])
    else known.push(change)
  }
  for (const op of all('op')) {
    if (op.result !== 'fail') note(op.conn, op.side, op.key, { at: op.at, by: 'client', isSure: op.result === 'ok', value: op.value, record: op })
  }
  for (const remote of all('remote')) {
    if (!remote.applied || !isWrite(remote) || !isSeenThere(remote) || remote.key === undefined) continue
    note(remote.conn, remote.side, remote.key, { at: remote.at, by: 'engine', isSure: true, value: remote.verb === 'DELETE' ? null : (remote.value ?? null), record: remote })
  }
  for (const list of changes.values()) list.sort((x, y) => x.at - y.at)
  const finals = Map.groupBy(all('final'), ({ conn, side, key }) => placeOf(conn, side, key))
  const dumped = new Set(all('final-done').map(({ conn, side }) => `${conn}/${side}`))
  const publishes = Map.groupBy(all('publish'), ({ conn }) => conn)
  for (const list of publishes.values()) list.sort((x, y) => x.seq - y.seq || x.at - y.at)
  const spans = spansOf(all('nemesis'))
  return {
    all, begin,
    connection: (conn) => connections.get(conn),
    changes: (conn, side, key) => changes.get(placeOf(conn, side, key)) ?? [],
    finals: (conn, side, key) => finals.get(placeOf(conn, side, key)) ?? [],
    isDumped: (conn, side) => dumped.has(`${conn}/${side}`),
    publishes: (conn) => publishes.get(conn) ?? [],
    wall: (ms) => ms - (begin?.wallAt ?? 0) + (begin?.at ?? 0),
    disturbed: (from, to, what = /./, target) =>
      spans.some((span) => span.from <= to && span.to >= from && what.test(span.what) && (target === undefined || span.target === target)),
    silentFrom: all('phase').find(({ phase }) => phase === 'silence')?.at,
    endAt: history.reduce((latest, { at }) => Math.max(latest, at), 0),
    secrets,
  }
}

const placeOf = (conn: string, side: SideName, key: string): string => `${conn}\u0000${side}\u0000${key}`

type Span = { readonly from: number; readonly to: number; readonly what: string; readonly target: string }

/** One that never ended goes on. */
const spansOf = (nemeses: ReadonlyArray<Nemesis>): ReadonlyArray<Span> =>
  nemeses
    .filter(({ edge }) => edge === 'begin')
    .map(({ id, at, what, target }) => ({ from: at, to: nemeses.find((one) => one.id === id && one.edge === 'end')?.at ?? Infinity, what, target }))
