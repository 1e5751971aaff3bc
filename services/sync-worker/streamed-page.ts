/**
 * Knows how one page of a streamed flow is compared with its links, decided, and handed to streamed-commit.ts; at most
 * three rounds, because the destination may turn out to hold what was thought new.
 */
import type { ChangePage } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { classify } from './classify.ts'
import type { Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { tooManyBad } from './park.ts'
import { isUnsettled } from './aside.ts'
import { moveOf, policyOf } from './decide.ts'
import { entriesOf, withLinks } from './streamed-entries.ts'
import { isStill, type Glance } from './streamed-glance.ts'
import { commitRound, type Round } from './streamed-commit.ts'
import type { Stream } from './stream.ts'
import { readPage } from './streamed-read.ts'
import { withTwins } from './streamed-twins.ts'

const rounds = 3
/** Moves of a dry run that are kept to be shown. */
const toldMoves = 500

/** `glance`: what was looked up for this page while the one before it was settled. */
export const settlePage = async (stream: Stream, page: ChangePage, coverage: 'listing' | 'delta', glance?: Glance): Promise<E.Either<SyncFailure, void>> => {
  const { context } = stream
  const still = glance !== undefined && isStill(glance, stream.touched) ? glance : undefined
  stream.touched.clear()
  stream.seen += page.changes.length
  // The last page's is the cursor of the next delta: it waits for the sweep, or a crash in between would forget the deletes.
  const resume = page.last ? null : page.resume
  const read = await readPage(stream, page, coverage)
  if (E.isLeft(read)) return read
  const { items, bad, marks, rivals, readable } = read.right
  context.counts.read += items.length + bad.length
  // Links and rows are looked up side by side: most of what a delta shows is linked, and needs both.
  const [first, found] = await Promise.all([entriesOf(stream, items, bad, still?.links, glance?.hashes), stream.phase === 'first' ? undefined : (still?.found ?? findAt(stream, items))])
  if (E.isLeft(first)) return first

  let open: ReadonlyArray<Entry> = first.right
  let round: Round = { puts: coverage === 'listing' ? marks : [], planned: [], again: [] }
  for (let n = 0; n < rounds; n++) {
    const linked = n === 0 ? E.right(open) : await withLinks(stream, open)
    if (E.isLeft(linked)) return linked
    const known = await withTwins(stream, linked.right, rivals)
    if (E.isLeft(known)) return known
    const sighted = await seeDestination(stream, known.right, n > 0 || context.item.dryRun === true, n === 0 ? found : undefined, glance?.hashes)
    if (E.isLeft(sighted)) return sighted
    round = decide(stream, sighted.right, n === 0 ? round.puts : [], coverage)
    if (n === 0) round = { ...round, planned: [...round.planned, ...readable.map(noLongerThere)] }
    // The cursor moves with the rows only when nothing of the page can be left over.
    const committed = await commitRound(stream, round, resume)
    if (E.isLeft(committed)) return committed
    open = committed.right
    if (open.length === 0) break
  }
  if (open.length > 0) {
    stream.unsettled ??= { is: 'unavailable', message: `${open.length} rows changed ${rounds} times while they were being written`, code: 'CONTENDED' }
    stream.frozen = true
  }
  if (!stream.frozen && resume !== null) stream.cursor = resume
  const tooMany = tooManyBad(context.counts.parked, context.counts.read, context.flow.guards ?? {}, context.spread?.tooFar())
  return tooMany === undefined ? E.right(undefined) : E.left(tooMany)
}

/** An item that could not be read had no identity; now it has one, and what stood for it is dropped. */
const noLongerThere = ([key, link]: readonly [string, Link]): Planned => ({
  entry: { key: link.key, linkKey: key, link, a: { is: 'deleted', by: 'tombstone' }, b: { is: 'never' } },
  move: { do: 'forget' },
})

const findAt = async (stream: Stream, wanted: ReadonlyArray<{ readonly key: string }>): Promise<Glance['found']> =>
  wanted.length === 0 ? E.right([]) : stream.context.b.find(wanted.map(({ key }) => key), stream.context.signal)()

/**
 * What the destination holds now. A row without a link is taken for new and simply created: if it is there already, the
 * create answers so and the second round looks. What is about to be overwritten is looked at first.
 */
const seeDestination = async (stream: Stream, entries: ReadonlyArray<Entry>, all: boolean, looked?: Glance['found'], hashes?: Glance['hashes']): Promise<E.Either<SyncFailure, ReadonlyArray<Entry>>> => {
  const asked = entries.filter(({ a, link }) =>
    (a.is === 'changed' && (all || link?.idB !== undefined)) || (a.is === 'unchanged' && link !== undefined && (link.idB === undefined ? all : isUnsettled(link))))
  if (asked.length === 0) return E.right(entries)
  const found = looked ?? await findAt(stream, asked)
  if (E.isLeft(found)) return E.left({ ...found.left, side: 'destination' })
  const byKey = new Map(found.right.map((item) => [item.key, item]))
  const wanted = new Set(asked)
  return E.right(
    entries.map((entry) => {
      if (!wanted.has(entry)) return entry
      const item = byKey.get(entry.key)
      return { ...entry, b: classify(entry.link, 'destination', item === undefined ? { is: 'gone', by: 'tombstone' } : { is: 'item', item, hash: hashes?.get(item) }) }
    }),
  )
}

const decide = (stream: Stream, entries: ReadonlyArray<Entry>, marks: Round['puts'], coverage: 'listing' | 'delta'): Round => {
  const { context } = stream
  const policy = policyOf(context, stream.phase, stream.scopeChanged)
  const puts = [...marks]
  const dryListing = context.item.dryRun === true && coverage === 'listing'
  if (dryListing) for (const [key] of marks) stream.toldSeen.add(key)
  const planned: Array<Round['planned'][number]> = []
  for (const entry of entries) {
    const move = moveOf(context, entry, policy)
    // Only two-way flows have sides that refuse a move.
    if (move === 'refused') continue
    if (dryListing) stream.toldSeen.add(entry.linkKey)
    if (move.do !== 'nothing') {
      planned.push({ entry, move })
      if (context.item.dryRun === true && stream.toldTotal++ < toldMoves) stream.told.push({ entry, move })
      continue
    }
    context.counts.unchanged++
    if (coverage === 'listing' && entry.link !== undefined) puts.push([entry.linkKey, { ...entry.link, genA: stream.gen }])
  }
  return { puts, planned, again: [] }
}
