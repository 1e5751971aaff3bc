/**
 * Knows how one round of a streamed page becomes one transaction of the destination: rows, links and checkpoint together
 * (SYNC.md §A.1.4). Ends with the entries that must be looked at again.
 */
import type { Write, Wrote } from '#libs/connectors/connector.ts'
import type { ConflictDecision } from '#libs/contracts/conflict.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { settleTask, writeOf } from './apply.ts'
import { beginArchive } from './archive.ts'
import type { Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import { resolveConflicts } from './resolve-conflicts.ts'
import { setAside } from './aside.ts'
import { newLinks, newlyAside } from './streamed-counts.ts'
import { noteStreamed } from './note-created.ts'
import { rememberEnds, tally } from './outcome.ts'
import { inSpan } from './run-context.ts'
import { parkAll, rivalsOf, type Parking } from './streamed-park.ts'
import { alongWays } from './spread.ts'
import { checkpointOf, mayDelete, type Stream } from './stream.ts'
import { keptAtDestination, targetOf, targetOfDecision, withDrift, type Task } from './targets.ts'

export type Put = readonly [linkKey: string, link: Link]
export type Round = { readonly puts: ReadonlyArray<Put>; readonly planned: ReadonlyArray<Planned>; readonly again: ReadonlyArray<Entry> }

export const commitRound = async (stream: Stream, round: Round, resume: string | null): Promise<E.Either<SyncFailure, ReadonlyArray<Entry>>> => {
  const { context, ledger } = stream
  const puts: Array<Put> = [...round.puts]
  const drops: Array<string> = []
  const allowed = await alongWays(context, E.right(round.planned), true)
  if (E.isLeft(allowed)) return allowed
  const tasks = await tasksOf(stream, allowed.right, puts, drops)
  if (E.isLeft(tasks)) return tasks
  if (context.item.dryRun === true) return E.right([])
  if (tasks.right.length === 0 && puts.length === 0 && drops.length === 0) return E.right([])
  for (const key of [...puts.map(([put]) => put), ...drops, ...tasks.right.map(({ entry }) => entry.linkKey)]) stream.touched.add(key)
  context.step('writing')
  const archived = await beginArchive(context, tasks.right)
  if (E.isLeft(archived)) return archived
  const { vanished: gone, store } = archived.right
  if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())

  const writes: Array<Write> = []
  const written: Array<Task> = []
  const vanished = [...gone.keys()].map(({ entry }) => entry)
  for (const task of tasks.right) {
    if (gone.has(task)) continue
    const write = writeOf(task, 'destination')
    if (write === undefined) remember(linkAfter(stream, task, undefined), task, puts, drops)
    else {
      writes.push(write)
      written.push(task)
    }
  }
  let again: Array<Entry> = []
  let parking: Array<Parking> = []
  let failed: SyncFailure | undefined
  let storing: ReturnType<typeof store> | undefined
  let linksAfter = stream.links
  let parkedAfter = stream.parked
  const committed = await inSpan(context, 'sync.commit', () => ledger.commit({
    fence: context.hold.fence,
    writes,
    ready: () => (storing ??= store()),
    settle: (wrote) => {
      const sorted = sortOut(stream, written, wrote)
      again = [...vanished, ...sorted.again]
      parking = sorted.parking
      failed = sorted.failed
      const all = [...puts, ...sorted.puts]
      const dropped = [...drops, ...sorted.drops]
      linksAfter = stream.links + newLinks(round.planned, all) - dropped.length
      parkedAfter = stream.parked + newlyAside(round.planned, all, dropped)
      const whole = again.length === 0 && parking.length === 0 && failed === undefined && !stream.frozen
      const checkpoint = { ...checkpointOf(stream, stream.phase), links: linksAfter, parked: parkedAfter }
      return { puts: all, drops: dropped, checkpoint: whole && resume !== null ? { ...checkpoint, cursorA: resume } : checkpoint }
    },
  }, context.signal)())
  if (E.isLeft(committed)) {
    const stored = await storing
    return stored !== undefined && E.isLeft(stored) ? stored : E.left({ ...committed.left, side: 'destination' })
  }
  stream.links = linksAfter
  stream.parked = parkedAfter
  // Only what is committed is counted: `settle` may be called again after a bisection.
  for (const [i, task] of written.entries()) if (committed.right[i]?.is === 'done') tally(context, task)
  const noted = await noteStreamed(stream, written, committed.right)
  if (E.isLeft(noted)) return noted
  if (failed !== undefined) {
    stream.unsettled ??= failed
    stream.frozen = true
  }
  const met = await rivalsOf(stream, parking)
  if (E.isLeft(met)) return met
  const parked = await parkAll(stream, parking.filter((one) => !met.right.has(one)))
  return E.isLeft(parked) ? parked : E.right([...again, ...[...met.right].map(({ entry }) => entry)])
}

const tasksOf = async (stream: Stream, planned: ReadonlyArray<Planned>, puts: Array<Put>, drops: Array<string>): Promise<E.Either<SyncFailure, ReadonlyArray<Task>>> => {
  const { context } = stream
  const conflicts = planned.filter(({ move }) => move.do === 'conflict').map(({ entry }) => entry)
  const { decided, unanswered } = conflicts.length === 0 ? { decided: new Map<string, ConflictDecision>(), unanswered: undefined } : await resolveConflicts(context, conflicts)
  if (unanswered !== undefined) {
    stream.warnings.push(`conflicts are waiting, the resolver did not answer: ${unanswered.message}`)
    stream.frozen = true
  }
  const tasks: Array<Task> = []
  const parking: Array<Parking> = []
  for (const { entry, move } of planned) {
    switch (move.do) {
      case 'nothing':
        break
      case 'refresh':
      case 'adopt':
        puts.push(...marked(stream, entry, rememberEnds(context, entry, move.do)))
        context.counts[move.do === 'adopt' ? 'adopted' : 'unchanged']++
        break
      case 'forget':
        if (entry.link !== undefined) drops.push(entry.linkKey)
        break
      case 'unlink':
        // Two-way only: one-way flows let go of what left the scope.
        break
      case 'report-drift':
        context.counts.drifted++
        if (entry.link !== undefined) puts.push([entry.linkKey, { ...withDrift(entry, entry.link, move.on), genA: stream.gen }])
        break
      case 'park':
        parking.push({ entry, side: move.on, failure: { is: 'bad-item', message: move.why } })
        break
      case 'create':
      case 'update':
      case 'delete': {
        const target = targetOf(entry, move)
        if (target !== undefined) tasks.push({ entry, target })
        break
      }
      case 'conflict': {
        context.counts.conflicts++
        const decision = decided.get(entry.key)
        if (decision?.take === 'destination') {
          puts.push([entry.linkKey, { ...keptAtDestination(entry), genA: stream.gen }])
          break
        }
        const target = decision === undefined ? undefined : targetOfDecision(entry, decision, { oneWay: true, deletesAllowed: mayDelete(stream) })
        if (decision !== undefined && target !== undefined) tasks.push({ entry, target, rule: decision.rule, ...(decision.provenance === undefined ? {} : { provenance: decision.provenance }) })
        else context.counts.held++
        if (decision !== undefined && target === undefined) puts.push([entry.linkKey, setAside(entry, 'conflict', `held by ${decision.rule}`)])
      }
    }
  }
  if (context.item.dryRun === true) return E.right(tasks)
  const parked = await parkAll(stream, parking, puts)
  return E.isLeft(parked) ? parked : E.right(tasks)
}

const sortOut = (stream: Stream, tasks: ReadonlyArray<Task>, wrote: ReadonlyArray<Wrote>) => {
  const puts: Array<Put> = []
  const drops: Array<string> = []
  const again: Array<Entry> = []
  const parking: Array<Parking> = []
  let failed: SyncFailure | undefined
  tasks.forEach((task, i) => {
    const answer = wrote[i]
    if (answer === undefined) return
    if (answer.is === 'done') remember(linkAfter(stream, task, answer), task, puts, drops)
    else if (answer.is === 'refused') parking.push({ entry: task.entry, failure: answer.failure, side: 'destination' })
    else if (answer.is === 'failed') failed = { ...answer.failure, item: task.entry.key }
    else again.push(task.entry)
  })
  return { puts, drops, again, parking, failed }
}

const linkAfter = (stream: Stream, task: Task, wrote: Wrote | undefined): ReadonlyArray<Put> => {
  const settled = settleTask(stream.context, task, undefined, wrote)
  return settled.is === 'done' ? marked(stream, task.entry, settled.link) : []
}

/** What is gone on both sides leaves no link: under an old one the same row, made anew, would look unchanged. */
const remember = (after: ReadonlyArray<Put>, { entry }: Task, puts: Array<Put>, drops: Array<string>): void => {
  puts.push(...after)
  if (after.length === 0 && entry.link !== undefined) drops.push(entry.linkKey)
}

const marked = (stream: Stream, entry: Entry, link: Link | undefined): ReadonlyArray<Put> => (link === undefined ? [] : [[entry.linkKey, { ...link, genA: stream.gen }]])
