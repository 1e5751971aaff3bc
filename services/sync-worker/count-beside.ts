/** Knows how links beside the rows are counted anew, page by page, when there are not as many as a checkpoint says. */
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { isAside } from './aside.ts'

const pageSize = 5_000

/** undefined = there are as many as expected. */
export const countBeside = async (beside: TransactionalLedger, expected: number, signal: AbortSignal): Promise<E.Either<SyncFailure, { readonly links: number; readonly parked: number } | undefined>> => {
  const counted = await beside.count(0, signal)()
  if (E.isLeft(counted)) return counted
  if (counted.right.links === expected) return E.right(undefined)
  let [links, parked] = [0, 0]
  for (let after = ''; ;) {
    const page = await beside.all(after, pageSize, signal)()
    if (E.isLeft(page)) return page
    links += page.right.length
    parked += page.right.filter(([, link]) => isAside(link)).length
    after = page.right.at(-1)?.[0] ?? ''
    if (page.right.length < pageSize) return E.right({ links, parked })
  }
}
