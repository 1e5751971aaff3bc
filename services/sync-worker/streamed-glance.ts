/**
 * Knows what is looked up for the next page of a streamed delta while the one before it is still settled: its links and its
 * rows at the destination. Whatever that one wrote under the same keys makes the glance worthless.
 */
import type { ChangePage } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { ledgerKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Stream } from './stream.ts'

export type Glance = {
  readonly linkKeys: ReadonlyArray<string>
  readonly links: E.Either<SyncFailure, ReadonlyMap<string, Link>>
  readonly found: E.Either<SyncFailure, ReadonlyArray<Item>>
}

/** Only where every change is an item: the others are first asked for, or known by their ids. */
export const glanceAt = async ({ phase, ledger, context }: Stream, { changes }: ChangePage): Promise<Glance | undefined> => {
  if (phase === 'first') return undefined
  const keys: Array<string> = []
  for (const change of changes) {
    if (change.is !== 'item') return undefined
    keys.push(change.item.key)
  }
  if (keys.length === 0) return undefined
  const linkKeys = keys.map(ledgerKey)
  const [links, found] = await Promise.all([ledger.links(linkKeys, context.signal)(), context.b.find(keys, context.signal)()])
  return { linkKeys, links, found }
}

/** Rows that others change meanwhile are no matter: each write has its precondition. What failed is asked again. */
export const isStill = ({ linkKeys, links, found }: Glance, touched: ReadonlySet<string>): boolean =>
  E.isRight(links) && E.isRight(found) && !linkKeys.some((key) => touched.has(key))
