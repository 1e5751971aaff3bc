/**
 * Knows the decision table of SYNC.md §A.3: what follows when A (source) and B (destination) show this of one item.
 * Every branch is a human scenario; the answer is data that can be printed, counted, hashed and approved.
 */
import type { SideClass, SideName } from './classify.ts'

export type Policy = {
  readonly direction: 'one-way' | 'two-way'
  readonly drift: 'ignore' | 'reassert'
  readonly deletes: 'follow' | 'keep'
  /** No base, no deletes (SYNC.md §0 rule 7): false on a first sync. */
  readonly deletesAllowed: boolean
  /** The configuration changed: what a listing does not show any more left the scope, and was not deleted (SYNC.md §A.4). */
  readonly scopeChanged: boolean
}

export type ConflictCase = 'both-edited' | 'edited-deleted' | 'deleted-edited'

export type Move =
  | { readonly do: 'nothing' }
  /** Same content under a new version or id: only the link is written. */
  | { readonly do: 'refresh' }
  /** Both sides agree already: only the link is written. */
  | { readonly do: 'adopt' }
  | { readonly do: 'create'; readonly on: SideName }
  | { readonly do: 'update'; readonly on: SideName }
  | { readonly do: 'delete'; readonly on: SideName }
  /** Gone on both sides, or no longer ours: the link is dropped, nothing is written. */
  | { readonly do: 'forget' }
  /** Out of one side's scope, or that side may not be written: the other side's copy stays, and nothing follows until that side shows it again. */
  | { readonly do: 'unlink'; readonly from: SideName; readonly because: 'scope' | 'read-only' }
  | { readonly do: 'conflict'; readonly of: ConflictCase }
  /** The copy on this side differs, and is left alone: one-way drift, or the change of a side that may not be carried over. */
  | { readonly do: 'report-drift'; readonly on: SideName }
  | { readonly do: 'park'; readonly on: SideName; readonly why: string }

const nothing: Move = { do: 'nothing' }

export const plan = (a: SideClass, b: SideClass, policy: Policy): Move => {
  if (a.is === 'bad') return { do: 'park', on: 'source', why: a.why }
  // One-way: what the destination has of its own is not our business, readable or not.
  if (b.is === 'bad') return policy.direction === 'one-way' && a.is === 'never' ? nothing : { do: 'park', on: 'destination', why: b.why }
  // The rule that makes crash recovery work: they differ from what we remember, and not from each other (SYNC.md §0 rule 5).
  if (isNewlyEqual(a, b)) return { do: 'adopt' }
  return policy.direction === 'two-way' ? planTwoWay(a, b, policy) : planOneWay(a, b, policy)
}

const isNewlyEqual = (a: SideClass, b: SideClass): boolean =>
  (a.is === 'changed' || b.is === 'changed') && (a.is === 'changed' || a.is === 'unchanged') && (b.is === 'changed' || b.is === 'unchanged') && a.hash === b.hash

type Readable = Exclude<SideClass, { is: 'bad' }>

/** An item that never agreed with its counterpart has no base, and is never deleted for its sake. */
const mayDelete = (side: Extract<SideClass, { is: 'unchanged' }>, { deletesAllowed }: Policy): boolean => deletesAllowed && side.hash !== undefined

const leftScope = (side: Readable, { scopeChanged }: Policy): boolean => scopeChanged && side.is === 'deleted' && side.by === 'listing'

const planTwoWay = (a: Readable, b: Readable, policy: Policy): Move => {
  // The configuration changed and one side shows it no more: it left the scope, whatever the other side did with it.
  if (leftScope(a, policy)) return leftScope(b, policy) || b.is === 'never' || b.is === 'deleted' ? { do: 'forget' } : { do: 'unlink', from: 'source', because: 'scope' }
  if (leftScope(b, policy)) return a.is === 'never' || a.is === 'deleted' ? { do: 'forget' } : { do: 'unlink', from: 'destination', because: 'scope' }
  switch (a.is) {
    case 'never':
      // Created on B, or a copy of it never reached A: bring it over.
      if (b.is === 'changed' || b.is === 'unchanged') return { do: 'create', on: 'source' }
      return b.is === 'deleted' ? { do: 'forget' } : nothing
    case 'unchanged':
      if (b.is === 'never') return { do: 'create', on: 'destination' }
      if (b.is === 'changed') return { do: 'update', on: 'source' }
      if (b.is === 'deleted') return mayDelete(a, policy) ? { do: 'delete', on: 'source' } : { do: 'create', on: 'destination' }
      return a.refresh || b.refresh ? { do: 'refresh' } : nothing
    case 'changed':
      if (b.is === 'never') return { do: 'create', on: 'destination' }
      if (b.is === 'unchanged') return { do: 'update', on: 'destination' }
      if (b.is === 'deleted') return { do: 'conflict', of: 'edited-deleted' }
      return { do: 'conflict', of: 'both-edited' }
    case 'deleted':
      if (b.is === 'unchanged') return mayDelete(b, policy) ? { do: 'delete', on: 'destination' } : { do: 'create', on: 'source' }
      if (b.is === 'changed') return { do: 'conflict', of: 'deleted-edited' }
      return { do: 'forget' }
  }
}

const planOneWay = (a: Readable, b: Readable, policy: Policy): Move => {
  switch (a.is) {
    case 'never':
      // B's own item, never ours: not our business.
      return b.is === 'deleted' ? { do: 'forget' } : nothing
    case 'unchanged':
      if (b.is === 'never') return { do: 'create', on: 'destination' }
      // Somebody edited or removed our copy: told, and put right only when the flow says so.
      if (b.is === 'changed') return policy.drift === 'reassert' ? { do: 'update', on: 'destination' } : { do: 'report-drift', on: 'destination' }
      if (b.is === 'deleted') return policy.drift === 'reassert' ? { do: 'create', on: 'destination' } : { do: 'report-drift', on: 'destination' }
      return a.refresh || b.refresh ? { do: 'refresh' } : nothing
    case 'changed':
      if (b.is === 'never') return { do: 'create', on: 'destination' }
      if (b.is === 'unchanged') return { do: 'update', on: 'destination' }
      if (b.is === 'deleted') return { do: 'conflict', of: 'edited-deleted' }
      return { do: 'conflict', of: 'both-edited' }
    case 'deleted':
      if (b.is === 'unchanged' && policy.deletes === 'follow') {
        if (mayDelete(b, policy)) return { do: 'delete', on: 'destination' }
        // A first sync that was interrupted: the link stays, a later complete listing may delete.
        if (!policy.scopeChanged && !policy.deletesAllowed) return nothing
      }
      // Edited by somebody else at the destination, or deletes are not followed: keep it, let go of it.
      return { do: 'forget' }
  }
}
