/** Sides that answer 200 and do not show what they hold. */
import type { Change, Side } from '#libs/connectors/connector.ts'
import { E, pipe, TE } from '#libs/fp.ts'

const shows = (side: Side, isShown: (remoteId: string) => boolean): Side => ({
  ...side,
  read: (ask) => pipe(side.read(ask), TE.map((reader) => ({
    ...reader,
    next: pipe(reader.next, TE.map((page) => ({ ...page, changes: page.changes.filter((change) => isShown(idOf(change))) }))),
  }))),
  fetch: (ids, signal) => side.fetch(ids.filter(isShown), signal),
})

const idOf = (change: Change): string => (change.is === 'item' ? change.item.remoteId : change.remoteId)

/** An empty listing, and nothing there when asked afterwards. A delta is what it is. */
export const nothingListed = (side: Side): Side => {
  const blind = shows(side, () => false)
  let lies = false
  return {
    ...side,
    read: (ask) => async () => {
      const opened = await side.read(ask)()
      lies = E.isRight(opened) && opened.right.coverage === 'listing'
      return lies ? blind.read(ask)() : opened
    },
    fetch: (ids, signal) => (lies ? blind : side).fetch(ids, signal),
  }
}

/** What was written shows only so much later: no read-after-write (T36). */
export const lateSide = (side: Side, wroteAt: Map<string, number>, lateMs: number, now: () => number): Side => ({
  ...shows(side, (id) => now() - (wroteAt.get(id) ?? -Infinity) > lateMs),
  write: (writes, signal) => pipe(side.write(writes, signal), TE.map((answers) => {
    for (const answer of answers) if (answer.is === 'done') wroteAt.set(answer.remoteId, now())
    return answers
  })),
})
