/** Knows how what a streamed page shows becomes entries: each compared with its link, once. */
import type { Link } from '#libs/domain/link.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { ledgerKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { classify, type Observation } from './classify.ts'
import type { Entry } from './gather.ts'
import type { Stream } from './stream.ts'
import type { Glance } from './streamed-glance.ts'
import type { PageContent } from './streamed-read.ts'

export const entriesOf = async (stream: Stream, items: ReadonlyArray<Item>, bad: PageContent['bad'], looked?: Glance['links'], hashes?: Glance['hashes']): Promise<E.Either<SyncFailure, ReadonlyArray<Entry>>> => {
  const sightings: Array<{ readonly key: string; readonly linkKey: string; readonly seen: Observation }> = []
  for (const item of items) sightings.push({ key: item.key, linkKey: ledgerKey(item.key), seen: { is: 'item', item, hash: hashes?.get(item) } })
  for (const { remoteId, key, failure } of bad) {
    sightings.push({ key, linkKey: ledgerKey(key), seen: { is: 'bad', remoteId, why: failure.message } })
  }
  if (sightings.length === 0) return E.right([])
  // In a first sync rows are taken for new; one that was linked already makes its create answer "exists", and is looked up then.
  const links = stream.phase === 'first' && bad.length === 0 && stream.context.item.dryRun !== true ? E.right(noLinks)
    : await linksOf(stream, sightings, bad.length === 0 ? looked : undefined)
  return E.isLeft(links) ? links : E.right(sightings.map(({ key, linkKey, seen }) => entryOf(key, linkKey, seen, links.right.get(linkKey))))
}

const noLinks: ReadonlyMap<string, Link> = new Map()

const entryOf = (key: string, linkKey: string, seen: Observation, link: Link | undefined): Entry =>
  ({ key, linkKey, link, a: classify(link, 'source', seen), b: classify(link, 'destination', { is: 'silent' }) })

const linksOf = (stream: Stream, asked: ReadonlyArray<{ readonly linkKey: string }>, looked?: Glance['links']): Promise<Glance['links']> =>
  looked === undefined ? stream.ledger.links(asked.map(({ linkKey }) => linkKey), stream.context.signal)() : Promise.resolve(looked)

export const withLinks = async (stream: Stream, entries: ReadonlyArray<Entry>): Promise<E.Either<SyncFailure, ReadonlyArray<Entry>>> => {
  const links = await linksOf(stream, entries)
  if (E.isLeft(links)) return links
  return E.right(
    entries.map((entry) => {
      const link = links.right.get(entry.linkKey)
      return link === undefined ? entry : entryOf(entry.key, entry.linkKey, sightingOf(entry), link)
    }),
  )
}

/** What the source showed of an entry, as it was before it was compared with a link. */
const sightingOf = ({ a }: Entry): Observation => {
  if (a.is === 'changed') return { is: 'item', item: a.item, hash: a.hash }
  if (a.is === 'unchanged' && a.item !== undefined) return { is: 'item', item: a.item }
  return a.is === 'bad' ? a : { is: 'silent' }
}
