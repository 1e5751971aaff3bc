/**
 * Knows how a two-way flow keeps its links and its checkpoint beside the rows of its destination (SYNC.md §A.1.4): what is
 * written there goes with its links in one fenced transaction. How links are read: beside-links.ts.
 */
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { ledgerKey } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { besideLinks, here } from './beside-links.ts'
import type { FlowLedger, Remembering } from './flow-ledger.ts'
import type { FlowContext } from './run-context.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>

export type KeptBeside = {
  readonly checkpoint: Checkpoint | null
  /** False: what is stored is no base; it is dropped before anything else is stored. */
  readonly believed: boolean
  /** After the first commit: what else has to be remembered of it. */
  readonly noted: (checkpoint: Checkpoint) => Done<void>
}

export const openBesideLedger = (context: Pick<FlowContext, 'hold' | 'signal' | 'whyStopped'>, beside: TransactionalLedger, stored: KeptBeside): FlowLedger => {
  const { hold, signal, whyStopped } = context
  const known = besideLinks(context, beside, stored.believed ? stored.checkpoint : null)
  let isUntrue = !stored.believed
  let isNoted = false

  const forgetUntrue = async (checkpoint: Checkpoint): Done<void> => {
    if (!isUntrue) return E.right(undefined)
    // No cursor goes with it: until something is linked again this is a first sync that was interrupted.
    const forgotten = await beside.forget({ ...checkpoint, fence: hold.fence, phase: 'first', cursorA: null, cursorB: null, pages: 0, links: 0, parked: 0 }, signal)()
    if (E.isRight(forgotten)) isUntrue = false
    return E.isLeft(forgotten) ? here(forgotten) : E.right(undefined)
  }

  const commitWith: NonNullable<FlowLedger['commitWith']> = async (writes, touched, settle, checkpoint) => {
    if (signal.aborted || !hold.isTrusted()) return E.left(whyStopped())
    const emptied = await forgetUntrue(checkpoint)
    if (E.isLeft(emptied)) return emptied
    const loaded = await known.load(touched)
    if (E.isLeft(loaded)) return loaded
    let last: { readonly settled: Remembering; readonly full: Checkpoint } | undefined
    const committed = await beside.commit({
      fence: hold.fence,
      writes,
      settle: (wrote) => {
        const settled = settle(wrote)
        const full: Checkpoint = { ...checkpoint, fence: hold.fence, pages: 0, ...known.numbersAfter(settled) }
        last = { settled, full }
        return { ...settled, checkpoint: full }
      },
    }, signal)()
    if (E.isLeft(committed)) return here(committed)
    if (last === undefined) return E.left({ is: 'bug', message: 'a commit beside the rows was never settled' })
    const { settled, full } = last
    known.stored(settled)
    const noted = isNoted ? E.right(undefined) : await stored.noted(full)
    isNoted = true
    return E.isLeft(noted) ? noted : E.right([committed.right, full])
  }

  const { links, load, loadBySource, recount, letGo, isWhole, numbers } = known
  return {
    links, loadBySource, isWhole, commitWith,
    linkCount: () => numbers().links,
    sizes: async () => (isUntrue ? E.right({ source: 0, destination: 0 }) : here(await beside.sizes(signal)())),
    isBeside: true,
    keyOf: ledgerKey,
    load: async (wanted) => (isUntrue ? E.right(undefined) : load(wanted)),
    recount: async () => (isUntrue ? E.right(undefined) : recount()),
    // Before it is dropped, what is no base must not be read for one either.
    letGo: () => (isUntrue ? undefined : letGo()),
    pageOf: () => 0,
    expect: () => undefined,
    commit: async (puts, drops, checkpoint) => {
      const done = await commitWith([], [...puts.map(([key]) => key), ...drops], () => ({ puts, drops }), checkpoint)
      return E.isLeft(done) ? done : E.right(done.right[1])
    },
  }
}
