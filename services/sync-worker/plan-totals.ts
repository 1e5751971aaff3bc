/** Knows how a plan is counted for the guards. Pure. */
import type { Link } from '#libs/domain/link.ts'
import type { SideClass } from './classify.ts'
import type { Planned } from './flow-end.ts'
import type { PlanTotals } from './guard.ts'
import type { Look } from './look.ts'

const isNews = (side: SideClass): boolean => side.is === 'changed' || side.is === 'deleted' || side.is === 'bad'
const isShown = (side: SideClass | undefined, remembered: string | undefined): boolean =>
  side === undefined ? remembered !== undefined : side.is === 'changed' || side.is === 'unchanged'

/** The canary was read from the ledger too, so that a delta that does not mention it says that it is still there. */
const canaryMissing = (planned: ReadonlyArray<Planned>, links: ReadonlyMap<string, Link>, canary: string | undefined): PlanTotals['canaryMissing'] => {
  if (canary === undefined) return undefined
  const entry = planned.find(({ entry: { key } }) => key === canary)?.entry
  const link = [...links.values()].find(({ key }) => key === canary)
  if (!isShown(entry?.a, link?.idA)) return 'source'
  return isShown(entry?.b, link?.idB) ? undefined : 'destination'
}

export type TotalsAsk = { readonly links: ReadonlyMap<string, Link>; readonly lookA: Look; readonly lookB: Look; readonly firstSync: boolean; readonly canary: string | undefined }

export const totalsOf = (planned: ReadonlyArray<Planned>, { links, lookA, lookB, firstSync, canary }: TotalsAsk): PlanTotals => {
  let linksA = 0
  let linksB = 0
  for (const link of links.values()) {
    if (link.idA !== undefined) linksA++
    if (link.idB !== undefined) linksB++
  }
  const missing = canaryMissing(planned, links, canary)
  const count = (test: (p: Planned) => boolean): number => planned.reduce((n, p) => n + Number(test(p)), 0)
  return {
    linksA,
    linksB,
    deletesA: count(({ move }) => move.do === 'delete' && move.on === 'source'),
    deletesB: count(({ move }) => move.do === 'delete' && move.on === 'destination'),
    createsA: count(({ move }) => move.do === 'create' && move.on === 'source'),
    createsB: count(({ move }) => move.do === 'create' && move.on === 'destination'),
    changedA: count(({ entry }) => entry.link?.hA !== undefined && entry.a.is === 'changed'),
    changedB: count(({ entry }) => entry.link?.hB !== undefined && entry.b.is === 'changed'),
    emptyA: lookA.coverage === 'listing' && lookA.changes.length === 0,
    emptyB: lookB.coverage === 'listing' && lookB.changes.length === 0,
    firstSync,
    observed: count(({ entry }) => isNews(entry.a) || isNews(entry.b)),
    writes: count(({ move }) => move.do === 'create' || move.do === 'update' || move.do === 'delete' || move.do === 'conflict'),
    ...(missing === undefined ? {} : { canaryMissing: missing }),
  }
}
