/**
 * Knows what the engine can know: the ids its links name, and what the sides showed it in the run that is going on. What it
 * was never shown cannot bind it.
 */
import type { Change, Side, Write, Wrote } from '#libs/connectors/connector.ts'
import type { Link } from '#libs/domain/link.ts'
import { pipe, TE } from '#libs/fp.ts'
import type { SideName } from './side-names.ts'

export type Knowledge = {
  /** Stands around a side as it shows itself, lies included. */
  readonly watch: (name: SideName, side: Side) => Side
  /** A run begins: of what went before, the links tell. */
  readonly begin: (links: ReadonlyArray<Link>) => void
  /** It was told that this id holds this identity. */
  readonly knows: (name: SideName, remoteId: string, key: string) => boolean
  /** This run was shown what this id holds, readable or not. */
  readonly wasShown: (name: SideName, remoteId: string) => boolean
  /** When the run began it remembered contents of both sides. */
  readonly hasBase: (key: string) => boolean
}

export const knowledgeOf = (): Knowledge => {
  const shown = { source: new Map<string, string>(), destination: new Map<string, string>() }
  const linked = { source: new Set<string>(), destination: new Set<string>() }
  const bases = new Set<string>()

  const hear = (name: SideName, changes: ReadonlyArray<Change>): void => {
    for (const change of changes) {
      if (change.is === 'item') shown[name].set(change.item.remoteId, change.item.key)
      else if (change.is === 'bad') shown[name].set(change.remoteId, '')
    }
  }
  const hearAnswers = (name: SideName, writes: ReadonlyArray<Write>, answers: ReadonlyArray<Wrote>): void => {
    answers.forEach((answer, i) => {
      const write = writes[i]
      if (write === undefined || write.do === 'delete') return
      if (answer.is === 'done' || answer.is === 'exists') shown[name].set(answer.remoteId, write.key)
    })
  }
  const told = <A>(answer: (a: A) => void) => TE.map((a: A) => {
    answer(a)
    return a
  })

  return {
    watch: (name, side) => {
      const { ledger } = side
      return {
        ...side,
        read: (ask) => pipe(side.read(ask), TE.map((reader) => ({ ...reader, next: pipe(reader.next, told(({ changes }) => hear(name, changes))) }))),
        fetch: (ids, signal) => pipe(side.fetch(ids, signal), told((changes) => hear(name, changes))),
        find: (keys, signal) => pipe(side.find(keys, signal), told((items) => hear(name, items.map((item): Change => ({ is: 'item', item }))))),
        write: (writes, signal) => pipe(side.write(writes, signal), told((answers) => hearAnswers(name, writes, answers))),
        ...(ledger === undefined ? {} : { ledger: { ...ledger, commit: (commit, signal) => pipe(ledger.commit(commit, signal), told((answers) => hearAnswers(name, commit.writes, answers))) } }),
      }
    },
    begin: (links) => {
      for (const map of [shown.source, shown.destination, linked.source, linked.destination, bases]) map.clear()
      for (const { key, idA, idB, hA, hB, twinsA, twinsB } of links) {
        for (const id of [idA, ...(twinsA ?? [])]) if (id !== undefined) linked.source.add(pair(id, key))
        for (const id of [idB, ...(twinsB ?? [])]) if (id !== undefined) linked.destination.add(pair(id, key))
        if (hA !== undefined && hB !== undefined) bases.add(key)
      }
    },
    knows: (name, remoteId, key) => shown[name].get(remoteId) === key || linked[name].has(pair(remoteId, key)),
    wasShown: (name, remoteId) => shown[name].has(remoteId),
    hasBase: (key) => bases.has(key),
  }
}

const pair = (remoteId: string, key: string): string => JSON.stringify([remoteId, key])
