/**
 * Knows how a side's cursor is moved past what this very run wrote there, as far as nothing else lies between: the next run
 * would have to go through it only to find that it is as remembered (SYNC.md §B.1). Never fails: the old cursor is as good.
 */
import { E } from '#libs/fp.ts'
import type { SideName } from './classify.ts'
import { openReader } from './paired-pages.ts'
import type { PairedRun } from './paired-run.ts'
import { isAsKnown } from './paired-sort.ts'

export const pastEchoes = async (run: PairedRun, side: SideName, cursor: string | null): Promise<string | null> => {
  if (cursor === null) return null
  const opened = await openReader(run.context, side, cursor)
  if (E.isLeft(opened)) return cursor
  const reader = opened.right
  let past = cursor
  try {
    for (let isOver = reader.coverage !== 'delta'; !isOver;) {
      run.context.step('reading')
      const page = await reader.next()
      if (E.isLeft(page)) return past
      const { changes, last, resume } = page.right
      const items = changes.flatMap((change) => (change.is === 'item' ? [change.item] : []))
      const loaded = await run.ledger.load(items.map(({ key }) => run.ledger.keyOf(key)))
      const areEchoes = E.isRight(loaded) && items.length === changes.length && items.every((item) => {
        const link = run.ledger.links.get(run.ledger.keyOf(item.key))
        return link !== undefined && isAsKnown(link, side, item)
      })
      run.ledger.letGo()
      if (!areEchoes) return past
      past = resume ?? past
      isOver = last
    }
    return past
  } finally {
    await reader.close()
  }
}
