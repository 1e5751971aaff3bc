/**
 * Knows the story of taking one run's writes to a flow back: what was archived of it → what stands there now → what may be
 * taken back → chunks, each archived, written with preconditions and linked in one fenced commit, so that the next run finds
 * nothing new. A repetition finds done what was done.
 */
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import type { Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { SideName } from './classify.ts'
import type { FlowEnd, MoveView } from './flow-end.ts'
import { fetchAll } from './look.ts'
import type { FlowContext } from './run-context.ts'
import { takeBack, tracesOf, type Taking, type Trace, type Undoing } from './undo-plan.ts'
import { memoryBeside, memoryInStore, type Memory } from './undo-memory.ts'
import { writeBack } from './undo-write.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>

/** One side of one item with what is to be done there. */
export type Step = { readonly linkKey: string; readonly trace: Trace; readonly taking: Taking }

/** 200 items: SYNC.md §A.1.5. */
const itemsPerChunk = 200
/** Told one by one; all are counted. */
const mostTold = 500

export const undoFlow = async (context: FlowContext, run: string, beside: TransactionalLedger | undefined): Done<FlowEnd> => {
  const { connection, flow, item, ports } = context
  const archived = await ports.archivedBy(connection.id, run)()
  if (E.isLeft(archived)) return archived
  if (archived.right.length === 0) return E.left(nothingArchived(connection.id, run))
  const opened = await (beside === undefined ? memoryInStore(context) : memoryBeside(context, beside))
  if (E.isLeft(opened)) return opened
  const memory = opened.right
  const told: Array<MoveView> = []
  let [total, leftAlone] = [0, 0]
  const tell = (key: string, side: SideName, { do: what, ...more }: Taking): void => {
    total++
    if (what === 'leave alone') leftAlone++
    if (told.length < mostTold) told.push({ key, do: what, on: side, ...('why' in more ? { of: more.why } : {}) })
  }
  const end = (unsettled?: SyncFailure): FlowEnd => {
    const { cursorA, links, parked, phase } = memory.checkpoint()
    const names = told.filter((move) => move.do === 'leave alone').map(({ key, on, of }) => `left alone: "${key}" at the ${on}: ${of}`)
    const warnings = item.dryRun === true || leftAlone === 0 ? [] : [...names.slice(0, 20), ...(leftAlone > 20 ? [`left alone: ${leftAlone - Math.min(20, names.length)} more`] : [])]
    return { phase, cursorBefore: cursorA, cursorAfter: cursorA, links, parkedNow: parked, warnings, leftAlone, plan: { hash: '', moves: told, total }, ...(unsettled === undefined ? {} : { unsettled }) }
  }

  const undoings = tracesOf(archived.right, flow.id)
  if (undoings.length > 0 && item.dryRun !== true) {
    const said = await audited(context, run, undoings.length)
    if (E.isLeft(said)) return said
  }
  for (let from = 0; from < undoings.length; from += itemsPerChunk) {
    if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
    const steps = await stepsOf(context, memory, undoings.slice(from, from + itemsPerChunk))
    if (E.isLeft(steps)) return steps
    const wrote = item.dryRun === true ? E.right(steps.right) : await writeBack(context, memory, steps.right, run)
    if (E.isLeft(wrote)) return wrote
    const done = 'steps' in wrote.right ? wrote.right : { steps: wrote.right, unsettled: undefined }
    for (const { trace, taking } of done.steps) if (taking.do !== 'nothing') tell(trace.key, trace.side, taking)
    if (done.unsettled !== undefined) return E.right(end(done.unsettled))
  }
  return E.right(end())
}

const nothingArchived = (conn: string, run: string): SyncFailure => ({
  is: 'needs-person',
  message: `nothing is archived of run ${run} of ${conn}: it overwrote, deleted and created nothing, or it is more than 30 days ago`,
  mend: `\`syncline history ${conn}\` tells what the runs did, \`syncline versions ${conn}\` what is archived`,
})

/** What stands there now, by the handle that is known of it, else by its identity. */
const stepsOf = async (context: FlowContext, memory: Memory, undoings: ReadonlyArray<Undoing>): Done<ReadonlyArray<Step>> => {
  const keyed = undoings.map((one) => ({ ...one, linkKey: memory.keyOf(one.key) }))
  const links = await memory.links(keyed.map((one) => one.linkKey))
  if (E.isLeft(links)) return links
  const steps: Array<Step> = []
  for (const side of ['destination', 'source'] as const) {
    const here = keyed.flatMap(({ linkKey: key, traces }) => traces.filter((trace) => trace.side === side).map((trace) => ({ linkKey: key, trace, link: links.right.get(key) })))
    const found = await itemsNow(context, side, here)
    if (E.isLeft(found)) return found
    for (const { linkKey: key, trace, link } of here) {
      const now = found.right.get(trace.key.normalize('NFC'))
      const taking: Taking = now === 'unreadable' ? { do: 'leave alone', why: 'it cannot be read' } : takeBack(trace, now, link, context.flow.direction)
      steps.push({ linkKey: key, trace, taking })
    }
  }
  return E.right(steps)
}

const itemsNow = async (context: FlowContext, name: SideName, here: ReadonlyArray<{ readonly trace: Trace; readonly link: Link | undefined }>): Done<ReadonlyMap<string, Item | 'unreadable'>> => {
  const side = name === 'source' ? context.a : context.b
  const keyOf = new Map(here.map(({ trace, link }) => [(name === 'source' ? link?.idA : link?.idB) ?? trace.remoteId, trace.key.normalize('NFC')]))
  const now = new Map<string, Item | 'unreadable'>()
  const fetched = await fetchAll(side, [...keyOf.keys()], context.signal)
  if (E.isLeft(fetched)) return fetched
  for (const { remoteId } of fetched.right.bad) now.set(keyOf.get(remoteId) ?? '', 'unreadable')
  // Under another identity it is another item.
  for (const item of fetched.right.items) if (keyOf.get(item.remoteId) === item.key.normalize('NFC')) now.set(item.key.normalize('NFC'), item)
  const missing = here.map(({ trace }) => trace.key).filter((key) => !now.has(key.normalize('NFC')))
  if (!side.capabilities.find || missing.length === 0) return E.right(now)
  const found = await side.find(missing, context.signal)()
  if (E.isLeft(found)) return found
  for (const item of found.right) now.set(item.key.normalize('NFC'), item)
  return E.right(now)
}

const audited = ({ connection, flow, item, ports, trace }: FlowContext, run: string, count: number): Done<void> =>
  ports.sayAudit({
    conn: connection.id, act: 'undo', at: ports.clock.now(), run: item.run, what: `flow ${flow.id}: takes back what run ${run} did to ${count} items`, count,
    ...(item.by === undefined ? {} : { by: item.by }), ...(item.reason === undefined ? {} : { reason: item.reason }),
  }, trace)()
