/** A side that answers 200 and shows nothing: an empty listing, and nothing there when asked. */
import type { Side } from '#libs/connectors/connector.ts'
import { E, TE } from '#libs/fp.ts'

export const nothingListed = (side: Side): Side => {
  let lies = false
  return {
  ...side,
  read: (ask) => async () => {
    const opened = await side.read(ask)()
    if (E.isLeft(opened) || opened.right.coverage === 'delta') return opened
    lies = true
    const { next } = opened.right
    return E.right({ ...opened.right, next: async () => {
      const page = await next()
      return E.isLeft(page) ? page : E.right({ ...page.right, changes: [] })
    } })
  },
  fetch: (ids, signal) => (lies ? TE.right([]) : side.fetch(ids, signal)),
  }
}
