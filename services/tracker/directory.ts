/** Knows which connections there are, and which are paused or held by a person, as the watch of their documents tells. Does not know the rest of a document. */
import type { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'

export type Listed = { readonly id: ConnectionId; readonly paused: boolean; readonly hold?: NonNullable<Connection['hold']> }

export type Directory = {
  readonly find: (conn: string) => Listed | undefined
  /** By id. */
  readonly all: () => ReadonlyArray<Listed>
  readonly size: () => number
}

export type KeptDirectory = Directory & {
  /** Answers whether the paused flag may differ from what the connection's status says. */
  readonly put: (document: ConnectionDocument) => boolean
  readonly remove: (conn: string) => boolean
}

export const directory = (): KeptDirectory => {
  const listed = new Map<string, Listed>()
  let sorted: ReadonlyArray<Listed> | undefined
  return {
    find: (conn) => listed.get(conn),
    all: () => (sorted ??= [...listed.values()].sort((a, b) => (a.id < b.id ? -1 : 1))),
    size: () => listed.size,
    put: ({ connection }) => {
      const before = listed.get(connection.id)
      const paused = connection.paused === true
      if (before === undefined) sorted = undefined
      const { hold } = connection
      const isSamePaused = before?.paused === paused
      if (isSamePaused && before.hold?.at === hold?.at) return false
      listed.set(connection.id, { id: connection.id, paused, ...(hold === undefined ? {} : { hold }) })
      sorted = undefined
      if (isSamePaused) return false
      // after a start every connection is new here; only a paused one is worth a look at its status
      return before !== undefined || paused
    },
    remove: (conn) => {
      sorted = undefined
      return listed.delete(conn)
    },
  }
}
