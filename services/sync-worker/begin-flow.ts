/**
 * Knows where a spooled flow starts from: the checkpoint as it stands, what of it may be believed, and whether the sides
 * are still the ones it was written for (SYNC.md §A.4, §C).
 */
import { hash } from 'node:crypto'
import type { Checkpoint, Phase } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { approvalOf, heldMessage } from './approval.ts'
import { cfgHashOf } from './cfg-hash.ts'
import type { SideName } from './classify.ts'
import { findLinks } from './find-links.ts'
import type { FlowEnd } from './flow-end.ts'
import type { FlowLedger } from './flow-ledger.ts'
import type { FlowContext } from './run-context.ts'

export type Begun = {
  readonly before: Checkpoint | null
  readonly phase: Phase
  readonly ledger: FlowLedger
  /** The configuration changed since the listing that made the links (also: in an earlier attempt of this resync). */
  readonly scopeChanged: boolean
  /** Set when another account stands behind the same configuration and nobody has approved of it. */
  readonly changedAccount?: NonNullable<FlowEnd['held']> & { readonly plan: string }
}

export const beginFlow = async (context: FlowContext): Promise<E.Either<SyncFailure, Begun>> => {
  const { flow, item } = context
  const kept = await findLinks(context)
  if (E.isLeft(kept)) return kept
  const { before, known, open } = kept.right
  const account = accountOf(context, known)
  if (account.is === 'other') return E.right({ before: known, phase: 'first', ledger: open(false), scopeChanged: false })
  if (account.is === 'held') return E.right({ before: known, phase: known?.phase ?? 'first', ledger: open(true), scopeChanged: false, changedAccount: account })

  const scopeChanged = before !== null && (before.cfgHash !== cfgHashOf(flow) || before.withoutDeletes === true)
  const phase: Phase =
    before === null || before.phase === 'first' ? 'first'
    : scopeChanged || item.mode === 'full' || before.phase === 'resync' ? 'resync'
    : 'delta'
  return E.right({ before, phase, ledger: open(true), scopeChanged })
}

/** The same checkpoint, with its links no base any more: a side went back in time. */
export const beginAnew = async (context: FlowContext): Promise<E.Either<SyncFailure, Begun>> => {
  const kept = await findLinks(context, true)
  return E.isLeft(kept) ? kept : E.right({ before: kept.right.before, phase: 'first', ledger: kept.right.open(false), scopeChanged: false })
}

export type Account = { readonly is: 'same' } | { readonly is: 'other' } | ({ readonly is: 'held' } & NonNullable<Begun['changedAccount']>)

/** `other`: the links say nothing about it; a first sync, which deletes nothing. */
export const accountOf = ({ a, b, flow, item, ports }: FlowContext, before: Checkpoint | null): Account => {
  const changed = [
    ...becameOther('source', before?.sideA, a.identity),
    ...becameOther('destination', before?.sideB, b.identity),
    ...becameOther('source', before?.principalA, a.principal),
    ...becameOther('destination', before?.principalB, b.principal),
  ]
  if (changed.length === 0) return { is: 'same' }
  // The configuration says so: somebody pointed the flow elsewhere on purpose.
  if (before !== null && before.cfgHash !== cfgHashOf(flow)) return { is: 'other' }
  const plan = hash('sha256', `changed-account|${flow.id}|${a.identity}|${b.identity}|${a.principal ?? ''}|${b.principal ?? ''}`, 'hex').slice(0, 16)
  const approval = approvalOf(plan, { approved: item.approved, askedAt: item.askedAt, now: ports.clock.now(), before })
  if (approval.is === 'given') return { is: 'other' }
  const message = `another account stands behind the same configuration: ${changed.join('; ')}; a new connection is required for it, or an approval, which makes the next sync a first one`
  return { is: 'held', by: 'changed-account', message: heldMessage(message, approval), plan }
}

/** What a side does not tell, or did not tell then, is not compared. */
const becameOther = (side: SideName, was: string | undefined, is: string | undefined): ReadonlyArray<string> =>
  was === undefined || is === undefined || was === is ? [] : [`the ${side} is ${is} now, it was ${was}`]

/** Who stands behind the two sides, to be remembered with what is linked. */
export const accountsOf = ({ a, b }: Pick<FlowContext, 'a' | 'b'>): Pick<Checkpoint, 'sideA' | 'sideB' | 'principalA' | 'principalB'> => ({
  sideA: a.identity,
  sideB: b.identity,
  ...(a.principal === undefined ? {} : { principalA: a.principal }),
  ...(b.principal === undefined ? {} : { principalB: b.principal }),
})
