/** Knows how conflicts are put to the resolver, in questions of bounded size. No answer means held, never guessed. */
import type { ConflictDecision, ConflictItem, ConflictQuestion } from '#libs/contracts/conflict.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { strategyOf } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { SideClass } from './classify.ts'
import type { Entry } from './gather.ts'
import { inSpan, type FlowContext } from './run-context.ts'
import { contentOf } from './targets.ts'

export type Decisions = {
  readonly decided: ReadonlyMap<string, ConflictDecision>
  /** Set when some questions stayed without an answer: their items wait, and the cursor with them. */
  readonly unanswered?: SyncFailure
}

const tooLarge = 'its size: the two versions do not fit into one question; make them equal, or delete one of them'

/** A question stays well below the 1 MiB of a NATS message. */
const maxItems = 100
const maxBytes = 600_000

export const resolveConflicts = async (context: FlowContext, entries: ReadonlyArray<Entry>): Promise<Decisions> => {
  const decided = new Map<string, ConflictDecision>()
  let unanswered: SyncFailure | undefined
  for (const items of questionsOf(entries.map(conflictItem))) {
    const answer = await inSpan(context, 'sync.resolve', (trace) => context.ports.askResolver(question(context, items), trace)())
    if (E.isLeft(answer)) {
      // One item that no question can hold must not keep the others: a person puts the two versions right.
      if (answer.left.code === 'too-large') for (const { key } of items) decided.set(key, { key, take: 'hold', rule: tooLarge })
      else unanswered = answer.left
      continue
    }
    for (const decision of answer.right.decisions) decided.set(decision.key, decision)
  }
  return unanswered === undefined ? { decided } : { decided, unanswered }
}

const question = ({ connection, flow, item }: FlowContext, items: Array<ConflictItem>): ConflictQuestion => ({
  conn: connection.id,
  flow: flow.id,
  run: item.run,
  kind: flow.kind,
  strategy: strategyOf(connection),
  tie: connection.tie ?? 'source',
  deleteWins: flow.deleteWins ?? false,
  entitled: connection.entitled ?? true,
  items,
})

const conflictItem = (entry: Entry): ConflictItem => ({
  key: entry.key,
  source: sideVersion(entry.a),
  destination: sideVersion(entry.b),
  ...(entry.link?.fh === undefined ? {} : { base: entry.link.fh }),
})

const sideVersion = (side: SideClass): ConflictItem['source'] => {
  const item = contentOf(side)
  if (item === undefined) return { is: 'deleted' }
  return { is: 'present', fields: item.fields, ...(item.modifiedAt === undefined ? {} : { modifiedAt: item.modifiedAt }) }
}

const questionsOf = (items: ReadonlyArray<ConflictItem>): ReadonlyArray<Array<ConflictItem>> => {
  const questions: Array<Array<ConflictItem>> = []
  let current: Array<ConflictItem> = []
  let bytes = 0
  for (const item of items) {
    const size = JSON.stringify(item).length
    if (current.length > 0 && (current.length >= maxItems || bytes + size > maxBytes)) {
      questions.push(current)
      current = []
      bytes = 0
    }
    current.push(item)
    bytes += size
  }
  if (current.length > 0) questions.push(current)
  return questions
}
