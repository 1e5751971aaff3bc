/** Knows how every entry of a spooled flow gets its move: the table, and what overrules it. Pure but for the context's reading. */
import type { Phase } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled, moveOfUnlinked, stillTheSame } from './aside.ts'
import { otherOf } from './classify.ts'
import { swing } from './damping.ts'
import type { Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { plan, type Move, type Policy } from './plan.ts'
import { unseal, type Sealed } from './read-only.ts'
import type { FlowContext } from './run-context.ts'
import { isMarked, isWhereKnown } from './targets.ts'

/** `whole`: nothing of the links is known to be lost. */
export const policyOf = ({ flow }: FlowContext, phase: Phase, scopeChanged: boolean, whole = true): Policy => ({
  direction: flow.direction,
  drift: flow.drift ?? 'ignore',
  deletes: flow.deletes ?? 'follow',
  deletesAllowed: phase !== 'first' && !scopeChanged && whole,
  scopeChanged,
})

/** Left: the plan would write to a side that may not be written. */
export const planAll = (context: FlowContext, entries: ReadonlyArray<Entry>, policy: Policy): E.Either<SyncFailure, ReadonlyArray<Planned>> => {
  const planned: Array<Planned> = []
  for (const entry of entries) {
    const move = moveOf(context, entry, policy)
    if (move === 'refused') return E.left(readOnly(context, entry.key))
    planned.push({ entry, move })
  }
  return E.right(planned)
}

/** One entry's move, for the first round and for every later look. */
export const moveOf = (context: FlowContext, entry: Entry, policy: Policy): Move | 'refused' => {
  const { flow, item } = context
  // Set aside and still showing what it showed then: only `--full` tries it again. Where it stands may have changed.
  const idle: Move = isWhereKnown(entry) ? { do: 'nothing' } : { do: 'refresh' }
  if (item.mode !== 'full' && stillTheSame(entry)) return idle
  const sealed = flow.direction === 'two-way' ? sealedSide(context, policy) : undefined
  const decided = overruled(context, entry, withBase(entry, moveOfUnlinked(entry, sealed !== undefined) ?? plan(entry.a, entry.b, policy), policy))
  const neither = !context.a.capabilities.canWrite && !context.b.capabilities.canWrite
  if (flow.direction === 'two-way' && neither && (decided.do === 'create' || decided.do === 'update' || decided.do === 'delete' || decided.do === 'conflict')) return 'refused'
  const move = sealed === undefined ? decided : unseal(entry, decided, sealed)
  if (move === 'refused') return move
  if (move.do === 'report-drift' && isMarked(entry, move.on)) return { do: 'nothing' }
  // Its trouble is over and both sides are as they were: the link says so again.
  const healed = move.do === 'nothing' && entry.link !== undefined && isUnsettled(entry.link) && entry.a.is === 'unchanged' && entry.b.is === 'unchanged'
  if (healed && entry.link?.st !== 'tomb' && looked(entry)) return { do: 'refresh' }
  return move.do === 'nothing' && entry.link !== undefined ? idle : move
}

/** No base, no deletes: what never agreed with its counterpart comes back, or is let go of, when that goes away (SYNC.md §0 rule 7). */
const withBase = ({ link }: Entry, move: Move, { direction }: Policy): Move => {
  if (move.do !== 'delete' || (link?.hA !== undefined && link.hB !== undefined)) return move
  return direction === 'one-way' ? { do: 'forget' } : { do: 'create', on: otherOf(move.on) }
}

const looked = ({ a, b }: Entry): boolean => a.is === 'unchanged' && b.is === 'unchanged' && a.item !== undefined && b.item !== undefined

const overruled = ({ flow, ports }: FlowContext, entry: Entry, move: Move): Move => {
  if (flow.direction !== 'two-way' || (move.do !== 'update' && move.do !== 'conflict')) return move
  for (const on of move.do === 'update' ? [move.on] : (['destination', 'source'] as const)) {
    const why = swing(entry, on, ports.clock.now())
    if (why !== undefined) return { do: 'park', on, why }
  }
  return move
}

const sealedSide = ({ a, b, flow }: FlowContext, { deletesAllowed }: Policy): Sealed | undefined => {
  if (a.capabilities.canWrite && b.capabilities.canWrite) return undefined
  const policy = a.capabilities.canWrite || b.capabilities.canWrite ? (flow.readOnly ?? 'error') : 'error'
  return { side: a.capabilities.canWrite ? 'destination' : 'source', policy, deletesAllowed }
}

const readOnly = ({ a, b, flow }: FlowContext, key: string): SyncFailure => ({
  is: 'needs-person',
  message: `"${key}" would be written to the ${a.capabilities.canWrite ? 'destination' : 'source'}, which is read-only`,
  mend: a.capabilities.canWrite || b.capabilities.canWrite
    ? `give it write access, make flow ${flow.id} one-way, or choose readOnly: ignore or readOnly: revert`
    : 'neither side can be written: give one of them write access',
  item: key,
})
