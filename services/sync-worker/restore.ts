/**
 * Knows how an archived version is put back on the side it was taken from, as if somebody had edited it there: the flow
 * that follows carries it across. What stands there now is archived first, and only overwritten if it is still the same.
 */
import type { Change, Side } from '#libs/connectors/connector.ts'
import type { ArchivedVersion } from '#libs/contracts/archive.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { hashOf, type Fields, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { FlowContext } from './run-context.ts'

/** Does nothing when the work item restores nothing, or something of another flow. */
export const restore = async (context: FlowContext): Promise<E.Either<SyncFailure, void>> => {
  const { item: work, ports, connection, flow } = context
  if (work.restore === undefined || work.dryRun === true) return E.right(undefined)
  const read = await ports.readArchived(work.restore)()
  if (E.isLeft(read)) return read
  const version = read.right
  if (version?.conn !== connection.id) {
    return E.left({ is: 'needs-person', message: `there is no archived version ${work.restore} of ${connection.id}`, mend: `list them with \`syncline versions ${connection.id}\`` })
  }
  if (version.flow !== flow.id) return E.right(undefined)
  const said = await ports.sayAudit({
    conn: connection.id, act: 'restore', at: ports.clock.now(), run: work.run, seq: work.restore, what: `flow ${flow.id}: puts "${version.key}" back at the ${version.side}`,
    ...(work.by === undefined ? {} : { by: work.by }), ...(work.reason === undefined ? {} : { reason: work.reason }),
  }, context.trace)()
  if (E.isLeft(said)) return said
  return putBack(context, version.side === 'source' ? context.a : context.b, version)
}

const putBack = async (context: FlowContext, side: Side, version: ArchivedVersion): Promise<E.Either<SyncFailure, void>> => {
  const now = await currentItem(side, version, context.signal)
  if (E.isLeft(now)) return now
  const fields = version.fields as Fields
  if (now.right !== undefined) {
    const kept = await context.ports.sayArchived([{
      version: { ...version, run: context.item.run, fields: now.right.fields, version: now.right.version, at: context.ports.clock.now(), because: 'overwritten', became: hashOf(fields), rule: `restore ${context.item.restore ?? ''}` },
      hash: hashOf(now.right.fields),
    }], context.trace)()
    if (E.isLeft(kept)) return kept
  }
  if (context.signal.aborted || !context.hold.isTrusted()) return E.left(context.whyStopped())
  const { key } = version
  const wrote = await side.write(
    [now.right === undefined ? { do: 'create', key, fields } : { do: 'update', key, remoteId: now.right.remoteId, expect: now.right.version, fields }],
    context.signal,
  )()
  if (E.isLeft(wrote)) return wrote
  const answer = wrote.right[0]
  if (answer?.is === 'done') return E.right(undefined)
  if (answer?.is === 'refused' || answer?.is === 'failed') return E.left(answer.failure)
  return E.left({ is: 'unavailable', message: `"${key}" changed while it was being restored`, mend: 'restore it again' })
}

/** By the handle it had; where it was deleted and made anew under another one, by its identity. */
const currentItem = async (side: Side, version: ArchivedVersion, signal: AbortSignal): Promise<E.Either<SyncFailure, Item | undefined>> => {
  const byHandle = await side.fetch([version.remoteId], signal)()
  if (E.isLeft(byHandle)) return byHandle
  const found = byHandle.right.find((change): change is Extract<Change, { is: 'item' }> => change.is === 'item')
  if (found !== undefined || !side.capabilities.find) return E.right(found?.item)
  const byKey = await side.find([version.key], signal)()
  return E.isLeft(byKey) ? byKey : E.right(byKey.right[0])
}
