/**
 * Knows how an item that is parked or in conflict is remembered, and whether it is still the same trouble. Pure.
 */
import type { Link } from '#libs/domain/link.ts'
import { otherOf, rememberedOf, type SideClass } from './classify.ts'
import type { Entry } from './gather.ts'
import type { Move } from './plan.ts'
import { endAsIs } from './targets.ts'

/**
 * The link of an item set aside. The base stays what it was, versions included: a write decided on anything less than a
 * look at both sides must fail its precondition. `seenA`/`seenB` tell whether it is still the same trouble.
 */
export const setAside = (entry: Entry, st: 'parked' | 'conflict', why: string): Link => {
  const { link, a, b } = entry
  const idA = idNow(a, link?.idA)
  const idB = idNow(b, link?.idB)
  const { twinsA: _a, twinsB: _b, ...before } = link ?? {}
  return {
    ...before,
    key: entry.key,
    st,
    why: why.slice(0, 300),
    ...(idA === undefined ? {} : { idA }),
    ...(idB === undefined ? {} : { idB }),
    ...(a.is === 'bad' && a.twins !== undefined ? { twinsA: a.twins } : {}),
    ...(b.is === 'bad' && b.twins !== undefined ? { twinsB: b.twins } : {}),
    seenA: seenNow(a),
    seenB: seenNow(b),
  }
}

/** One side's configuration let go of it: what that side knew is forgotten, the other side's state is kept as a base. */
export const unlinked = (entry: Entry, { from, because }: Extract<Move, { do: 'unlink' }>): Link => {
  const { key, link } = entry
  const side = otherOf(from)
  const known = rememberedOf(link, side)
  const now = endAsIs(entry, side)
  // An edit that was not carried over stays one: the old base is kept where there is one.
  const { id, version, hash } = known.id !== undefined && known.hash !== undefined ? { id: known.id, version: known.version ?? null, hash: known.hash } : now === 'absent' ? { id: '', version: null, hash: '' } : now
  return { key, st: 'tomb', why: because, ...(side === 'source' ? { idA: id, verA: version, hA: hash } : { idB: id, verB: version, hB: hash }) }
}

/** What follows for an item that one side let go of; undefined = that side shows it or takes it again, so the table decides. */
export const moveOfUnlinked = ({ link, a, b }: Entry, isSealed: boolean): Move | undefined => {
  if (link?.st !== 'tomb' || (link.why === 'read-only' && !isSealed)) return undefined
  const [left, kept] = link.idA === undefined ? [a, b] : [b, a]
  // Taken back by an undo, and edited since: the edit goes across.
  if (left.is === 'never' && link.why === 'undone' && kept.is === 'changed') return { do: 'create', on: link.idA === undefined ? 'source' : 'destination' }
  if (left.is === 'never') return kept.is === 'deleted' ? { do: 'forget' } : { do: 'nothing' }
  const base = link.hA ?? link.hB
  if (left.is !== 'changed' || left.hash !== base) return undefined
  // As it was when it was let go of: equal still, or only the other side was edited meanwhile.
  return kept.is === 'unchanged' ? { do: 'adopt' } : kept.is === 'changed' ? { do: 'update', on: link.idA === undefined ? 'source' : 'destination' } : undefined
}

/** What is remembered of this item is more than two equal ends: it is looked at whole as soon as either side mentions it. */
export const isUnsettled = (link: Link): boolean => isAside(link) || link.st === 'tomb' || link.seenA !== undefined || link.seenB !== undefined

export const isAside = (link: Link): boolean => link.st === 'parked' || link.st === 'conflict'

/** True while a parked or conflicting item shows what it showed when it was set aside. */
export const stillTheSame = (entry: Entry): boolean => {
  const { link } = entry
  if (link === undefined || !isAside(link)) return false
  return quiet(entry.a, link.seenA) && quiet(entry.b, link.seenB)
}

const quiet = (side: SideClass, seen: string | undefined): boolean => {
  // Not looked at in this run: nothing says that it moved.
  if (side.is === 'unchanged' && side.item === undefined) return true
  return seenNow(side) === (seen ?? '')
}

const seenNow = (side: SideClass): string => {
  switch (side.is) {
    case 'changed':
      return side.hash
    case 'bad':
      return `bad:${(side.twins ?? [side.remoteId]).join(',')}:${side.why}`.slice(0, 200)
    case 'deleted':
      return 'deleted'
    case 'never':
    case 'unchanged':
      return ''
  }
}

/** Of several that share one identity, the one we knew stays the one we know. */
const idNow = (side: SideClass, known: string | undefined): string | undefined => {
  switch (side.is) {
    case 'changed':
      return side.item.remoteId
    case 'unchanged':
      return side.remoteId
    case 'bad':
      return side.twins === undefined ? side.remoteId : (known ?? side.remoteId)
    case 'never':
    case 'deleted':
      return known
  }
}
