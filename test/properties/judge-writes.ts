/** Judges every write that was applied, as it happened: I1, I2, I5 and I7 of SYNC.md §F.5. */
import type { MemoryStore, Stored } from '#libs/connectors/memory/store.ts'
import type { Write } from '#libs/connectors/connector.ts'
import type { ArchivedVersion } from '#libs/contracts/archive.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import type { Excuses } from './excuses.ts'
import type { Knowledge } from './knowledge.ts'
import { unmarked } from './marked-side.ts'
import { otherSide, sideNames, type SideName } from './side-names.ts'
import { Violation } from './violation.ts'

/** How things stood when the write arrived. */
type Before = {
  readonly side: SideName
  readonly there: Stored | undefined
  /** What the other side holds under the same identity, and the engine was told so. */
  readonly known: number
  readonly unknown: number
  readonly hadBase: boolean
  readonly otherIsSealed: boolean
  readonly index: number
}

export type WriteJudge = {
  /** Every applied write since the last look. */
  readonly judge: () => ReadonlyArray<{ readonly side: SideName; readonly key: string }>
}

export type Judged = {
  readonly store: (side: SideName) => MemoryStore
  readonly archived: ReadonlyArray<ArchivedVersion>
  readonly knowledge: Knowledge
  readonly excuses: Excuses
  /** Whether a side tells versions at all. */
  readonly isVersioned: (side: SideName) => boolean
  readonly isMirror: boolean
  /** Keys whose base was lost. */
  readonly noBase: ReadonlySet<string>
}

export const judgeOf = ({ store, archived, knowledge, excuses, isVersioned, isMirror, noBase }: Judged): WriteJudge => {
  const befores: Array<Before> = []
  for (const side of sideNames) {
    const other = otherSide(side)
    store(side).mischief.beforeWrite = (write) => {
      const others = store(other).byKey(write.key)
      const known = others.filter(({ remoteId }) => knowledge.knows(other, remoteId, write.key)).length
      befores.push({
        side, known, unknown: others.length - known,
        there: write.do === 'create' ? undefined : store(side).get(write.remoteId),
        hadBase: knowledge.hasBase(write.key) && !noBase.has(write.key),
        otherIsSealed: store(other).mischief.readOnly,
        index: store(side).writes.length,
      })
    }
  }

  const one = (write: Write, { side, there, known, unknown, hadBase, otherIsSealed }: Before): void => {
    if (write.do === 'create') return
    if (isVersioned(side) && write.expect === null) throw new Violation(`I7: ${write.do} of ${write.key} at the ${side} without a precondition`)
    const isSame = write.do === 'update' && there !== undefined && hashOf(write.fields) === hashOf(there.fields)
    if (isSame) throw new Violation(`I2: ${write.key} was written to the ${side} although it shows that already`)
    const kept = there === undefined || archived.some(({ key, fields }) => key === write.key && hashOf(unmarked(fields as Fields)) === hashOf(there.fields))
    if (!kept) throw new Violation(`I1: ${write.do} of ${write.key} at the ${side} took ${JSON.stringify(there.fields)} away, which is in no archive`)
    if (write.do !== 'delete') return
    // What no look and no answer told of, or only as something unreadable somewhere else, has no identity (SYNC.md §A.2).
    const why = known === 0 && unknown > 0 ? 'the engine was never told of it' : undefined
    if (!excuses.waives('I5 present', why) && known > 0) throw new Violation(`I5: ${write.key} was deleted at the ${side} although the other side has it`)
    // A mirror of a side that may not be written removes what that side never had (T17, revert): no base by its nature.
    const mirrored = isMirror && otherIsSealed ? 'a mirror of a sealed side' : undefined
    if (!excuses.waives('I5 base', mirrored) && !hadBase) throw new Violation(`I5: ${write.key} was deleted at the ${side} without a base`)
  }

  return {
    judge: () => befores.splice(0).flatMap((before) => {
      const entry = store(before.side).writes[before.index]
      if (entry?.applied !== true) return []
      one(entry.write, before)
      return [{ side: before.side, key: entry.write.key }]
    }),
  }
}
