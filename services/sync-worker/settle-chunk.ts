/**
 * Knows how the moves of one chunk are settled, in at most three rounds: a side that moved under a write is read again and
 * decided again; what still moves is parked as CONTENDED. Ends with the links to store.
 */
import type { ConflictDecision } from '#libs/contracts/conflict.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { applyTasks, type Applied } from './apply.ts'
import { classify, type SideName } from './classify.ts'
import { moveOf } from './decide.ts'
import type { Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { isUnsure } from './sighting.ts'
import { fetchAll } from './look.ts'
import { park, rememberEnds, tally } from './outcome.ts'
import type { Policy } from './plan.ts'
import { resolveConflicts } from './resolve-conflicts.ts'
import { noteCreated } from './note-created.ts'
import { isHidden, notShownYet, unsureAfter, type FlowContext } from './run-context.ts'
import { alongWays } from './spread.ts'
import { keep, storeTogether, type Store } from './store-together.ts'
import { setAside, unlinked } from './aside.ts'
import { keptAtDestination, targetOf, targetOfDecision, withDrift, type Task } from './targets.ts'

export type Settled = {
  readonly puts: ReadonlyArray<readonly [linkKey: string, link: Link]>
  readonly drops: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  readonly unsettled?: SyncFailure
}

type Ledgering = { puts: Array<readonly [string, Link]>; drops: Array<string>; warnings: Array<string>; unsettled: SyncFailure | undefined }

const rounds = 3

/** `store`: only where links stand beside the rows of the destination: stores them with what is written there. */
export const settleChunk = async (context: FlowContext, chunk: ReadonlyArray<Planned>, policy: Policy, store?: Store): Promise<E.Either<SyncFailure, Settled>> => {
  const out: Ledgering = { puts: [], drops: [], warnings: [], unsettled: undefined }
  let open = chunk
  for (let round = 0; round < rounds && open.length > 0; round++) {
    const allowed = await alongWays(context, E.right(open), true)
    if (E.isLeft(allowed)) return allowed
    const tasks = await tasksOf(context, allowed.right, policy, out)
    if (E.isLeft(tasks)) return tasks
    const isStored = new Set<Task>()
    const applied = await applyTasks(context, tasks.right, store === undefined ? undefined : storeTogether(store, out, isStored))
    if (E.isLeft(applied)) return applied
    const noted = await noteCreated(context, tasks.right, applied.right)
    if (E.isLeft(noted)) return noted
    const again: Array<Planned> = []
    for (const [i, task] of tasks.right.entries()) {
      const outcome = applied.right[i]
      if (outcome === undefined) continue
      if (outcome.is === 'done') {
        tally(context, task)
        if (!isStored.has(task)) keep(out, task, outcome.link)
        continue
      }
      const reread = await conclude(context, task, outcome, policy, out)
      if (E.isLeft(reread)) return reread
      if (reread.right !== undefined) again.push(reread.right)
    }
    open = again
    // Who moved it may be our successor, whose write we would take for a user's edit: asked after the look at it, not before.
    const still = open.length > 0 ? await context.hold.confirm() : E.right(undefined)
    if (E.isLeft(still)) return still
  }
  for (const { entry } of open) {
    const parked = await parkInto(context, entry, 'destination', { is: 'bad-item', message: `CONTENDED: it changed ${rounds} times while it was being written`, mend: 'it is tried again when it changes next' }, out)
    if (E.isLeft(parked)) return parked
  }
  const { puts, drops, warnings, unsettled } = out
  return E.right({ puts, drops, warnings, ...(unsettled === undefined ? {} : { unsettled }) })
}

/** What needs no write is settled here; the rest become tasks. */
const tasksOf = async (context: FlowContext, open: ReadonlyArray<Planned>, policy: Policy, out: Ledgering): Promise<E.Either<SyncFailure, ReadonlyArray<Task>>> => {
  const tasks: Array<Task> = []
  const conflicts = open.filter(({ move }) => move.do === 'conflict').map(({ entry }) => entry)
  if (conflicts.length > 0) context.step('resolving')
  const { decided, unanswered } = conflicts.length > 0 ? await resolveConflicts(context, conflicts) : { decided: new Map<string, ConflictDecision>(), unanswered: undefined }
  if (unanswered !== undefined) out.warnings.push(`conflicts are waiting, the resolver did not answer: ${unanswered.message}`)
  for (const { entry, move } of open) {
    switch (move.do) {
      case 'nothing':
        break
      case 'refresh':
      case 'adopt':
        remember(context, entry, move.do, out)
        context.counts[move.do === 'adopt' ? 'adopted' : 'unchanged']++
        break
      case 'forget':
        if (entry.link !== undefined) out.drops.push(entry.linkKey)
        break
      case 'unlink':
        out.puts.push([entry.linkKey, unlinked(entry, move)])
        break
      case 'report-drift':
        context.counts.drifted++
        if (entry.link !== undefined) out.puts.push([entry.linkKey, withDrift(entry, entry.link, move.on)])
        break
      case 'park': {
        const parked = await parkInto(context, entry, move.on, { is: 'bad-item', message: move.why }, out)
        if (E.isLeft(parked)) return parked
        break
      }
      case 'create':
      case 'update':
      case 'delete': {
        const target = targetOf(entry, move)
        if (target !== undefined) tasks.push({ entry, target })
        // What should be copied was not read: never pass it silently.
        else out.unsettled ??= { is: 'unavailable', message: `"${entry.key}" changed while it was being written`, item: entry.key }
        break
      }
      case 'conflict': {
        context.counts.conflicts++
        const decision = decided.get(entry.key)
        if (decision === undefined) {
          context.counts.held++
          break
        }
        if (context.flow.direction === 'one-way' && decision.take === 'destination') {
          out.puts.push([entry.linkKey, keptAtDestination(entry)])
          break
        }
        const target = targetOfDecision(entry, decision, { oneWay: context.flow.direction === 'one-way', deletesAllowed: policy.deletesAllowed })
        if (target === undefined) {
          context.counts.held++
          out.puts.push([entry.linkKey, setAside(entry, 'conflict', `held by ${decision.rule}`)])
        } else {
          tasks.push({ entry, target, rule: decision.rule, ...(decision.provenance === undefined ? {} : { provenance: decision.provenance }) })
        }
      }
    }
  }
  return E.right(tasks)
}

const remember = (context: FlowContext, entry: Entry, how: 'refresh' | 'adopt', out: Ledgering): void => {
  const link = rememberEnds(context, entry, how)
  if (link === undefined) out.drops.push(entry.linkKey)
  else out.puts.push([entry.linkKey, link])
}

/** Answers the entry to decide again, if its side moved. */
const conclude = async (context: FlowContext, task: Task, outcome: Exclude<Applied, { is: 'done' }>, policy: Policy, out: Ledgering): Promise<E.Either<SyncFailure, Planned | undefined>> => {
  switch (outcome.is) {
    case 'failed':
      out.unsettled ??= { ...outcome.failure, item: task.entry.key }
      return E.right(undefined)
    case 'refused': {
      const parked = await parkInto(context, task.entry, outcome.side, outcome.failure, out)
      return E.isLeft(parked) ? parked : E.right(undefined)
    }
    case 'moved':
      return lookAgain(context, task.entry, outcome.side, outcome.remoteId, policy, out)
  }
}

const lookAgain = async (context: FlowContext, entry: Entry, side: SideName, remoteId: string, policy: Policy, out: Ledgering): Promise<E.Either<SyncFailure, Planned | undefined>> => {
  const fetched = await fetchAll(side === 'source' ? context.a : context.b, [remoteId], context.signal)
  if (E.isLeft(fetched)) return fetched
  // Under another identity it is another item.
  const item = fetched.right.items.find(({ key }) => key.normalize('NFC') === entry.key.normalize('NFC'))
  const bad = fetched.right.bad[0]
  if (item === undefined && bad === undefined && (isUnsure(entry.link, side, unsureAfter(context)) || isHidden(context, entry.link, side, remoteId))) {
    out.warnings.push(notShownYet(entry.key, side))
    return E.right(undefined)
  }
  const seen = classify(entry.link, side, item !== undefined ? { is: 'item', item } : bad !== undefined ? { is: 'bad', remoteId, why: bad.failure.message } : { is: 'gone', by: 'tombstone' })
  const now: Entry = side === 'source' ? { ...entry, a: seen } : { ...entry, b: seen }
  const move = moveOf(context, now, policy)
  if (move !== 'refused') return E.right({ entry: now, move })
  // The next run plans it from the beginning, and says what stands in its way.
  out.unsettled ??= { is: 'unavailable', message: `"${entry.key}" changed while it was written, and one side is read-only`, item: entry.key }
  return E.right(undefined)
}

const parkInto = async (context: FlowContext, entry: Entry, side: SideName, failure: SyncFailure, out: Ledgering): Promise<E.Either<SyncFailure, void>> => {
  const link = await park(context, entry, side, failure)
  if (E.isLeft(link)) return link
  out.puts.push([entry.linkKey, link.right])
  return E.right(undefined)
}
