/** Knows how a flow can come to its end, and how a plan is told to a person. */
import { hash } from 'node:crypto'
import type { FlowResult } from '#libs/contracts/result.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Phase } from '#libs/domain/checkpoint.ts'
import type { Entry } from './gather.ts'
import type { Move } from './plan.ts'

export type Planned = { readonly entry: Entry; readonly move: Move }

export type FlowEnd = {
  readonly phase: Phase
  readonly cursorBefore: string | null
  readonly cursorAfter: string | null
  readonly links: number
  readonly parkedNow: number
  readonly warnings: ReadonlyArray<string>
  /** Some items failed for now: what is durable is committed, the cursor stayed, the run is tried again. */
  readonly unsettled?: SyncFailure
  readonly held?: { readonly by: string; readonly message: string }
  readonly plan?: PlanView
  /** A reset, done or only shown. */
  readonly forgets?: NonNullable<FlowResult['forgets']>
  /** An undo: items that it left alone. */
  readonly leftAlone?: number
}

export type PlanView = { readonly hash: string; readonly moves: ReadonlyArray<MoveView>; readonly total: number }
export type MoveView = { readonly key: string; readonly do: string; readonly on?: string; readonly of?: string }

/** Moves shown of one plan; all of them are counted and hashed. */
export const shownMoves = 500

/** The hash binds an approval to exactly these moves on exactly this content (SYNC.md §C). */
export const viewOf = (planned: ReadonlyArray<Planned>): PlanView => {
  const acting = planned.filter(isTold)
  const lines = acting.map(lineOf).sort()
  return {
    hash: hash('sha256', lines.join('\n'), 'hex').slice(0, 16),
    moves: acting.slice(0, shownMoves).map(({ entry, move }) => moveView(entry.key, move)),
    total: acting.length,
  }
}

const isTold = ({ move }: Planned): boolean => move.do !== 'nothing' && move.do !== 'refresh'
const lineOf = ({ entry, move }: Planned): string => JSON.stringify([entry.key, move, contentHash(entry.a), contentHash(entry.b)])

/** What of one move goes into the plan's hash; undefined = it is not told. */
export const planLine = (planned: Planned): string | undefined => (isTold(planned) ? lineOf(planned) : undefined)

const contentHash = (side: Entry['a']): string => (side.is === 'changed' ? side.hash : side.is)

const moveView = (key: string, move: Move): MoveView => ({
  key,
  do: move.do,
  ...('on' in move ? { on: move.on } : {}),
  ...('of' in move ? { of: move.of } : {}),
})
