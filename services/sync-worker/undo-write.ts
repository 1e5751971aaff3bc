/** Knows how one chunk of an undo is written: archived first, each write with its precondition, then linked in one commit. */
import type { Write, Wrote } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { hashOf } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { FlowContext } from './run-context.ts'
import type { Step } from './undo-flow.ts'
import type { Memory, SideWrite } from './undo-memory.ts'
import { linkAfterUndo, type Stand, type Taking } from './undo-plan.ts'

export type WroteBack = { readonly steps: ReadonlyArray<Step>; readonly unsettled: SyncFailure | undefined }

export const writeBack = async (context: FlowContext, memory: Memory, steps: ReadonlyArray<Step>, run: string): Promise<E.Either<SyncFailure, WroteBack>> => {
  const archived = await archive(context, steps, run)
  if (E.isLeft(archived)) return archived
  const links = await memory.links([...new Set(steps.map(({ linkKey }) => linkKey))])
  if (E.isLeft(links)) return links
  const writing = steps.flatMap((step) => {
    const write = writeOf(step)
    return write === undefined ? [] : [{ step, write: { side: step.trace.side, write } satisfies SideWrite }]
  })
  let answers: ReadonlyMap<Step, Wrote | undefined> = new Map()
  const committed = await memory.commit(writing.map(({ write }) => write), (wrote) => {
    answers = new Map(writing.map(({ step }, i) => [step, wrote[i]]))
    return settled(context, steps, answers, links.right)
  })
  if (E.isLeft(committed)) return committed
  const noted = await noteBroughtBack(context, answers)
  if (E.isLeft(noted)) return noted
  const failed = [...answers.values()].find((answer) => answer?.is === 'failed')
  for (const [{ taking }, answer] of answers) if (answer?.is === 'done') count(context, taking)
  return E.right({
    steps: steps.map((step) => ({ ...step, taking: outcomeOf(step.taking, answers.get(step)) })),
    unsettled: failed?.is === 'failed' ? failed.failure : undefined,
  })
}

const writeOf = ({ trace: { key }, taking }: Step): Write | undefined => {
  switch (taking.do) {
    case 'bring back':
      return { do: 'create', key, fields: taking.fields }
    case 'put back':
      return { do: 'update', key, remoteId: taking.now.remoteId, expect: taking.now.version, fields: taking.fields }
    case 'take out':
      return { do: 'delete', key, remoteId: taking.now.remoteId, expect: taking.now.version }
    case 'nothing':
    case 'leave alone':
      return undefined
  }
}

const outcomeOf = (taking: Taking, answer: Wrote | undefined): Taking => {
  if (answer === undefined || answer.is === 'done') return taking
  if (answer.is === 'refused' || answer.is === 'failed') return { do: 'leave alone', why: answer.failure.message }
  return { do: 'leave alone', why: 'it changed while it was taken back' }
}

/** Two sides of one item share its link: the second goes on from what the first made of it. */
const settled = ({ flow }: FlowContext, steps: ReadonlyArray<Step>, answers: ReadonlyMap<Step, Wrote | undefined>, links: ReadonlyMap<string, Link>) => {
  const after = new Map<string, Link | undefined>()
  for (const step of steps) {
    const { linkKey, trace, taking } = step
    const stand = standAfter(taking, answers.get(step))
    if (stand === undefined) continue
    after.set(linkKey, linkAfterUndo(trace.key, after.has(linkKey) ? after.get(linkKey) : links.get(linkKey), trace.side, stand, flow.direction))
  }
  const puts = [...after].flatMap(([key, link]) => (link === undefined ? [] : [[key, link] as const]))
  return { puts, drops: [...after].flatMap(([key, link]) => (link === undefined ? [key] : [])) }
}

/** undefined: nothing was done there, and its link is as it should be. */
const standAfter = (taking: Taking, answer: Wrote | undefined): Stand | undefined => {
  if (taking.do === 'nothing') {
    const { now, relink } = taking
    return !relink ? undefined : now === undefined ? null : { id: now.remoteId, version: now.version, hash: hashOf(now.fields) }
  }
  if (answer?.is !== 'done') return undefined
  return taking.do === 'put back' || taking.do === 'bring back' ? { id: answer.remoteId, version: answer.version, hash: hashOf(answer.fields ?? taking.fields) } : null
}

const count = ({ counts }: FlowContext, { do: what }: Taking): void => {
  if (what === 'put back') counts.updated++
  if (what === 'bring back') counts.created++
  if (what === 'take out') counts.deleted++
}

/** An undo can be undone too: what it brings back it has created. */
const noteBroughtBack = async ({ connection, flow, item, ports, trace }: FlowContext, answers: ReadonlyMap<Step, Wrote | undefined>): Promise<E.Either<SyncFailure, void>> => {
  for (const side of ['source', 'destination'] as const) {
    const items = [...answers].flatMap(([step, answer]) => {
      const stand = step.trace.side === side && step.taking.do === 'bring back' ? standAfter(step.taking, answer) : undefined
      return stand === undefined || stand === null ? [] : [{ key: step.trace.key, id: stand.id, hash: stand.hash }]
    })
    const said = items.length === 0 ? E.right(undefined) : await ports.sayCreated({ conn: connection.id, flow: flow.id, run: item.run, side, at: ports.clock.now(), items }, trace)()
    if (E.isLeft(said)) return said
  }
  return E.right(undefined)
}

/** The same of what it overwrites or takes out. */
const archive = ({ connection, flow, item, ports, trace: parent }: FlowContext, steps: ReadonlyArray<Step>, run: string): Promise<E.Either<SyncFailure, void>> => {
  const replaced = steps.flatMap(({ trace: { key, side }, taking }) => {
    if (taking.do !== 'put back' && taking.do !== 'take out') return []
    const { fields, remoteId, version } = taking.now
    const isDelete = taking.do === 'take out'
    return [{
      version: {
        conn: connection.id, flow: flow.id, run: item.run, key, side, remoteId, kind: flow.kind, fields, version, at: ports.clock.now(),
        because: isDelete ? 'deleted' as const : 'overwritten' as const, became: isDelete ? null : hashOf(taking.fields), rule: `undo ${run}`,
      },
      hash: hashOf(fields),
    }]
  })
  return ports.sayArchived(replaced, parent)()
}
