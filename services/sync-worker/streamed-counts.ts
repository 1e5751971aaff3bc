/** Knows by how much a round of a streamed page changes the numbers in the checkpoint. Pure. */
import { isAside } from './aside.ts'
import type { Planned } from './flow-end.ts'
import type { Put } from './streamed-commit.ts'

/** How many more links wait for a person or an edit after this round. */
export const newlyAside = (planned: ReadonlyArray<Planned>, puts: ReadonlyArray<Put>, drops: ReadonlyArray<string>): number => {
  // Nearly always.
  if (!puts.some(([, link]) => isAside(link)) && !planned.some(({ entry: { link } }) => link !== undefined && isAside(link))) return 0
  const before = new Map<string, boolean>()
  for (const { entry } of planned) before.set(entry.linkKey, entry.link !== undefined && isAside(entry.link))
  let more = 0
  for (const [key, link] of puts) if (before.has(key)) more += Number(isAside(link)) - Number(before.get(key))
  for (const key of drops) more -= Number(before.get(key) ?? false)
  return more
}

/** How many of these links are new. */
export const newLinks = (planned: ReadonlyArray<Planned>, puts: ReadonlyArray<Put>): number => {
  const known = new Set<string>()
  for (const { entry } of planned) if (entry.link === undefined) known.add(entry.linkKey)
  let fresh = 0
  for (const [key] of puts) if (known.has(key)) fresh++
  return fresh
}
