/** Sides that answer 200 and do not show what they hold. */
import type { Change, Side } from '#libs/connectors/connector.ts'
import { E, pipe, TE } from '#libs/fp.ts'

type IsShown = (remoteId: string) => boolean

const listingShows = (side: Side, isShown: IsShown): Side => ({
  ...side,
  read: (ask) => pipe(side.read(ask), TE.map((reader) => ({
    ...reader,
    next: pipe(reader.next, TE.map((page) => ({ ...page, changes: page.changes.filter((change) => isShown(idOf(change))) }))),
  }))),
})

const shows = (side: Side, isShown: IsShown): Side => ({
  ...listingShows(side, isShown),
  fetch: (ids, signal) => side.fetch(ids.filter(isShown), signal),
  find: (keys, signal) => pipe(side.find(keys, signal), TE.map((items) => items.filter(({ remoteId }) => isShown(remoteId)))),
})

const idOf = (change: Change): string => (change.is === 'item' ? change.item.remoteId : change.remoteId)

/** Lies in a listing; a delta is what it is. */
const inListings = (side: Side, liar: Side, told: () => void): Side => {
  let lies = false
  return {
    ...side,
    read: (ask) => async () => {
      const opened = await side.read(ask)()
      lies = E.isRight(opened) && opened.right.coverage === 'listing'
      if (!lies) return opened
      told()
      return liar.read(ask)()
    },
    fetch: (ids, signal) => (lies ? liar : side).fetch(ids, signal),
    find: (keys, signal) => (lies ? liar : side).find(keys, signal),
  }
}

/** An empty listing, and nothing there when asked afterwards. */
export const nothingListed = (side: Side, told: () => void): Side => inListings(side, shows(side, () => false), told)

/** A listing without some items, which are there when they are asked for. */
export const oneOmitted = (side: Side, isOmitted: IsShown, told: () => void): Side => inListings(side, listingShows(side, (id) => !isOmitted(id)), told)

/** What was written shows only so much later: no read-after-write (T36). */
export const lateSide = (side: Side, wroteAt: Map<string, number>, lateMs: number, now: () => number): Side => ({
  ...shows(side, (id) => now() - (wroteAt.get(id) ?? -Infinity) > lateMs),
  write: (writes, signal) => pipe(side.write(writes, signal), TE.map((answers) => {
    for (const answer of answers) if (answer.is === 'done') wroteAt.set(answer.remoteId, now())
    return answers
  })),
})
