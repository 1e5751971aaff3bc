/** Knows what a flow that compares two whole sides remembers when it ends, or while it goes on. Pure but for the context's reading. */
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import { accountsOf, type Begun } from './begin-flow.ts'
import { cfgHashOf } from './cfg-hash.ts'
import type { SideName } from './classify.ts'
import type { Planned } from './flow-end.ts'
import { isUnsure, type Links, type Sighting } from './sighting.ts'
import type { Look } from './look.ts'
import type { FlowContext } from './run-context.ts'

type End = Pick<Look, 'cursor'>

/**
 * The checkpoint after this run: with the new cursors when all is settled, else as before, so that it is all read again.
 * `listed`: everything shown is settled, but something may not show yet, so the next run lists again.
 */
export const nextOf = (context: FlowContext, { before, phase, scopeChanged }: Begun, a: End, b: End) => (settled: boolean | 'listed'): Checkpoint => ({
  fence: context.hold.fence,
  run: context.item.run,
  phase: settled === 'listed' ? 'resync' : settled ? 'delta' : phase,
  gen: before?.gen ?? 0,
  cursorA: settled === true ? a.cursor : settled === false && phase === 'delta' ? (before?.cursorA ?? null) : null,
  cursorB: settled === true ? b.cursor : settled === false && phase === 'delta' ? (before?.cursorB ?? null) : null,
  cfgHash: cfgHashOf(context.flow),
  pages: before?.pages ?? 0,
  links: before?.links ?? 0,
  parked: before?.parked ?? 0,
  ...accountsOf(context),
  // A listing under a changed configuration that is not settled yet must not delete in its next attempt either.
  ...(scopeChanged && settled !== true ? { withoutDeletes: true } : {}),
})

/** Something we wrote a moment ago does not show yet: only a later listing can tell whether it was deleted (T36). */
export const unsureIn = (links: Links, { coverage, items, same, unsureAfter }: Sighting, side: SideName): boolean => {
  if (coverage !== 'listing') return false
  let shown: Set<string> | undefined
  for (const link of links.values()) {
    const id = side === 'source' ? link.idA : link.idB
    if (id === undefined || !isUnsure(link, side, unsureAfter)) continue
    shown ??= new Set([...items.map(({ remoteId }) => remoteId), ...same])
    if (!shown.has(id)) return true
  }
  return false
}

/** Gone at the source while nothing may be deleted, as in a first sync that was broken off: the next listing may (SYNC.md §0 rule 7). */
export const mayGoLater = ({ entry: { link, a, b }, move }: Planned): boolean => move.do === 'nothing' && link?.st === 'linked' && a.is === 'deleted' && b.is === 'unchanged'
