/** Knows how a plan is counted for the guards. Pure. */
import type { Link } from '#libs/domain/link.ts'
import type { Planned } from './flow-end.ts'
import type { PlanTotals } from './guard.ts'
import type { Look } from './look.ts'

export const totalsOf = (planned: ReadonlyArray<Planned>, links: ReadonlyMap<string, Link>, lookA: Look, lookB: Look, firstSync: boolean): PlanTotals => {
  let linksA = 0
  let linksB = 0
  for (const link of links.values()) {
    if (link.idA !== undefined) linksA++
    if (link.idB !== undefined) linksB++
  }
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
  }
}
