/** Knows how a question becomes an answer: the strategy is picked, each item decided by itself. Pure. */
import type { ConflictAnswer, ConflictDecision, ConflictItem, ConflictQuestion } from '#libs/contracts/conflict.ts'
import type { Strategy as StrategyName } from '#libs/domain/connection.ts'
import { hashOf } from '#libs/domain/record.ts'
import type { Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Conflict, Ruling, Rules, Strategy } from './conflict.ts'
import { destinationWins } from './strategies/destination-wins.ts'
import { manual } from './strategies/manual.ts'
import { mergeActivity } from './strategies/merge-activity.ts'
import { mergeFields } from './strategies/merge-fields.ts'
import { newestWins } from './strategies/newest-wins.ts'
import { sourceWins } from './strategies/source-wins.ts'

export type NotEntitled = { readonly is: 'not-entitled'; readonly message: string }

const strategies: Readonly<Record<StrategyName, Strategy>> = {
  'source-wins': sourceWins,
  'destination-wins': destinationWins,
  'newest-wins': newestWins,
  merge: (conflict, rules) => (rules.kind === 'activity' ? mergeActivity : mergeFields)(conflict, rules),
  manual,
}

/** One decision per item, in the order of the items. Left: the connection may not use this strategy (R 17.8). */
export const resolve = (question: ConflictQuestion): E.Either<NotEntitled, ConflictAnswer> => {
  const { conn, strategy, kind, tie, deleteWins } = question
  if (strategy !== 'source-wins' && !question.entitled) {
    return E.left({ is: 'not-entitled', message: `connection ${conn} is not entitled to ${strategy}: only source-wins is open to it` })
  }
  const rules: Rules = { kind, tie, deleteWins }
  return E.right({ decisions: question.items.map((item) => decisionOf(item, strategies[strategy], rules)) })
}

const decisionOf = (item: ConflictItem, strategy: Strategy, rules: Rules): ConflictDecision => {
  const conflict = conflictOf(item)
  const { take, rule, fields, provenance }: Ruling = conflict === undefined ? { take: 'source', rule: 'no-conflict' } : strategy(conflict, rules)
  return {
    key: item.key,
    take,
    rule,
    ...(fields === undefined ? {} : { fields }),
    ...(provenance === undefined ? {} : { provenance: [...provenance] }),
  }
}

/** undefined when there is nothing to decide: both show the same, or both are gone. */
const conflictOf = ({ source, destination, base }: ConflictItem): Conflict | undefined => {
  if (source.is === 'deleted') {
    return destination.is === 'deleted' ? undefined : { met: 'delete-edit', source, destination: present(destination) }
  }
  if (destination.is === 'deleted') return { met: 'edit-delete', source: present(source), destination }
  const [a, b] = [present(source), present(destination)]
  if (hashOf(a.fields) === hashOf(b.fields)) return undefined
  return { met: 'edit-edit', source: a, destination: b, ...(base === undefined ? {} : { base }) }
}

type PresentOnTheWire = Extract<ConflictItem['source'], { readonly is: 'present' }>

/** What came by the wire is JSON by its making, so its fields are canonical values. */
const present = (version: PresentOnTheWire) => ({ ...version, fields: version.fields as Fields })
