/** Knows where an undo finds the links of its flow and how it stores them: as a spooled flow does, or as a streamed one. */
import type { TransactionalLedger, Write, Wrote } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { ledgerKey } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { accountOf, beginFlow } from './begin-flow.ts'
import type { SideName } from './classify.ts'
import type { FlowLedger, Remembering } from './flow-ledger.ts'
import type { FlowContext } from './run-context.ts'
import { isBare } from './where-kept.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>
export type SideWrite = { readonly side: SideName; readonly write: Write }
/** One answer per write; what is to be remembered is asked for once all are there, perhaps more than once. */
export type Settle = (wrote: ReadonlyArray<Wrote | undefined>) => Remembering

export type Memory = {
  /** Under which key an item's link is kept. */
  readonly keyOf: (key: string) => string
  readonly checkpoint: () => Checkpoint
  readonly links: (linkKeys: ReadonlyArray<string>) => Done<ReadonlyMap<string, Link>>
  readonly commit: (writes: ReadonlyArray<SideWrite>, settle: Settle) => Done<void>
}

export const memoryInStore = async (context: FlowContext): Done<Memory> => {
  const begun = await beginFlow(context)
  if (E.isLeft(begun)) return begun
  const { before, ledger } = begun.right
  if (before === null || isBare(before) || accountOf(context, before).is !== 'same') return E.left(nothingLinked(context))
  let checkpoint: Checkpoint = mine(context, before)
  return E.right({
    checkpoint: () => checkpoint,
    keyOf: ledger.keyOf,
    links: async (linkKeys) => {
      const loaded = await ledger.load(linkKeys)
      return E.isLeft(loaded) ? loaded : E.right(ledger.links)
    },
    commit: async (writes, settle) => {
      const { commitWith } = ledger
      const wrote: Array<Wrote | undefined> = []
      const at = (side: SideName) => writes.flatMap((one, i) => (one.side === side ? [[i, one.write] as const] : []))
      for (const side of commitWith === undefined ? (['destination', 'source'] as const) : (['source'] as const)) {
        const { write: writeTo, capabilities } = side === 'source' ? context.a : context.b
        const here = at(side)
        for (let from = 0; from < here.length; from += capabilities.batchSize) {
          if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
          const batch = here.slice(from, from + capabilities.batchSize)
          const answers = await writeTo(batch.map(([, write]) => write), context.signal)()
          if (E.isLeft(answers)) return E.left({ ...answers.left, side })
          batch.forEach(([i], n) => { wrote[i] = answers.right[n] })
        }
      }
      const saved = commitWith === undefined ? await keptAfter(ledger, settle(writes.map((_, i) => wrote[i])), checkpoint) : await keptWith(commitWith, at('destination'), (there) => settle(writes.map((_, i) => there.get(i) ?? wrote[i])), checkpoint)
      if (E.isLeft(saved)) return saved
      checkpoint = saved.right
      return E.right(undefined)
    },
  })
}

const keptAfter = (ledger: FlowLedger, { puts, drops }: Remembering, checkpoint: Checkpoint): Done<Checkpoint> => ledger.commit(puts, drops, checkpoint)

/** Every link that is touched was looked up before. */
const keptWith = async (commitWith: NonNullable<FlowLedger['commitWith']>, writes: ReadonlyArray<readonly [index: number, write: Write]>, settle: (there: ReadonlyMap<number, Wrote | undefined>) => Remembering, checkpoint: Checkpoint): Done<Checkpoint> => {
  const done = await commitWith(writes.map(([, write]) => write), [], (wrote) => settle(new Map(writes.map(([i], n) => [i, wrote[n]]))), checkpoint)
  return E.isLeft(done) ? done : E.right(done.right[1])
}

export const memoryBeside = async (context: FlowContext, ledger: TransactionalLedger): Done<Memory> => {
  const { hold, item, signal } = context
  const claimed = await (item.dryRun === true ? ledger.peek(signal) : ledger.claim(hold.fence, signal))()
  if (E.isLeft(claimed)) return claimed
  const { right: before } = claimed
  if (before === null || isBare(before) || (before.sideA !== undefined && before.sideA !== context.a.identity)) return E.left(nothingLinked(context))
  let checkpoint = mine(context, before)
  const known = new Map<string, Link>()
  return E.right({
    checkpoint: () => checkpoint,
    keyOf: ledgerKey,
    links: async (linkKeys) => {
      const found = await ledger.links(linkKeys, signal)()
      if (E.isRight(found)) for (const [key, link] of found.right) known.set(key, link)
      return found
    },
    commit: async (writes, settle) => {
      const stored = await ledger.commit({
        fence: hold.fence,
        writes: writes.map(({ write }) => write),
        settle: (wrote) => {
          const { puts, drops } = settle(wrote)
          const more = puts.filter(([key]) => !known.has(key)).length - drops.filter((key) => known.has(key)).length
          return { puts, drops, checkpoint: { ...checkpoint, links: checkpoint.links + more } }
        },
      }, signal)()
      if (E.isLeft(stored)) return E.left({ ...stored.left, side: 'destination' })
      const { puts, drops } = settle(stored.right)
      checkpoint = { ...checkpoint, links: checkpoint.links + puts.filter(([key]) => !known.has(key)).length - drops.filter((key) => known.has(key)).length }
      return E.right(undefined)
    },
  })
}

/** What a guard held was planned for another state of things. */
const mine = ({ hold, item }: FlowContext, { heldPlan: _plan, heldFull: _full, ...before }: Checkpoint): Checkpoint => ({ ...before, fence: hold.fence, run: item.run })

const nothingLinked = ({ connection, flow }: FlowContext): SyncFailure => ({
  is: 'needs-person',
  message: `nothing is linked in flow ${flow.id} of ${connection.id} any more: it was reset, or points to another account, since that run`,
  mend: `bring back single versions: \`syncline versions ${connection.id}\`, \`syncline restore ${connection.id} <seq>\``,
})
