/**
 * Knows what is looked up for the next page of a streamed delta while the one before it is still settled: its links and its
 * rows at the destination. Whatever that one wrote under the same keys makes the glance worthless.
 */
import type { ChangePage } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { hashOf, ledgerKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Stream } from './stream.ts'

export type Glance = {
  readonly linkKeys: ReadonlyArray<string>
  readonly links: E.Either<SyncFailure, ReadonlyMap<string, Link>>
  readonly found: E.Either<SyncFailure, ReadonlyArray<Item>>
  /** Of the contents of both sides: worked out while the database commits the page before. True whatever that one wrote. */
  readonly hashes: ReadonlyMap<Item, string>
}

/** Only where every change is an item: the others are first asked for, or known by their ids. */
export const glanceAt = async ({ phase, ledger, context }: Stream, { changes }: ChangePage): Promise<Glance | undefined> => {
  if (phase === 'first') return undefined
  const keys: Array<string> = []
  const items: Array<Item> = []
  for (const change of changes) {
    if (change.is !== 'item') return undefined
    keys.push(change.item.key)
    items.push(change.item)
  }
  if (keys.length === 0) return undefined
  const linkKeys = keys.map(ledgerKey)
  // One after the other: side by side they would take the connection that the page before them commits on.
  const hashes = new Map<Item, string>()
  const looking = ledger.links(linkKeys, context.signal)()
  for (const item of items) hashes.set(item, hashOf(item.fields))
  const links = await looking
  const found = await context.b.find(keys, context.signal)()
  if (E.isRight(found)) for (const item of found.right) hashes.set(item, hashOf(item.fields))
  return { linkKeys, links, found, hashes }
}

/** Rows that others change meanwhile are no matter: each write has its precondition. What failed is asked again. */
export const isStill = ({ linkKeys, links, found }: Glance, touched: ReadonlySet<string>): boolean =>
  E.isRight(links) && E.isRight(found) && !linkKeys.some((key) => touched.has(key))
