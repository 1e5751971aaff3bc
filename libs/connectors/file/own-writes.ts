/**
 * Knows whether all that happened to a file between two of its versions were writes of one flow in this process. What the
 * flow wrote itself it need not be shown again; a write by anybody else in between, and be it another flow's, breaks the row.
 * Forgotten with the process: then the file is compared whole once, as after any other change.
 */
export type OwnWrites = {
  readonly wrote: (before: string, after: string) => void
  /** From one version to the other nobody else did anything. */
  readonly lead: (from: string, to: string) => boolean
}

/** Versions of one file, and files: a few hundred bytes each. */
const mostVersions = 64
const mostFiles = 10_000

const rows = new Map<string, ReadonlyArray<string>>()

/** `who`: the flow and the file. */
export const ownWrites = (who: string): OwnWrites => ({
  wrote: (before, after) => {
    const row = rows.get(who) ?? []
    rows.delete(who)
    rows.set(who, [...(row.at(-1) === before ? row.slice(1 - mostVersions) : [before]), after])
    const [oldest] = rows.keys()
    if (rows.size > mostFiles && oldest !== undefined) rows.delete(oldest)
  },
  lead: (from, to) => {
    const row = rows.get(who) ?? []
    return row.at(-1) === to && row.includes(from)
  },
})
