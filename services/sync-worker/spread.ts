/**
 * Knows along which ways the items of one flow may be carried in this run (SYNC.md §B.3; the rule is libs/domain/provenance.ts).
 * What it decides it notes before the write, so that no other flow brings the item there by another way meanwhile. Only
 * flows that could bring an item to one place twice, or too far, have one of these.
 */
import type { Link } from '#libs/domain/link.ts'
import { leftText, provenanceKey, ruling, type End, type Provenance, type Ruling, type Way } from '#libs/domain/provenance.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E } from '#libs/fp.ts'
import { otherOf, type SideName } from './classify.ts'
import type { Planned } from './flow-end.ts'
import type { Entry } from './gather.ts'
import type { Move } from './plan.ts'
import type { ProvenanceRegistry, StoreFailure, Stored } from './ports.ts'
import type { FlowContext } from './run-context.ts'

export type Spread = {
  /** The moves as they may be made. `note`: they are about to be made. */
  readonly judge: (planned: ReadonlyArray<Planned>, note: boolean) => Promise<E.Either<SyncFailure, ReadonlyArray<Planned>>>
  /** Why the first of those that came too far already may not go on. */
  readonly tooFar: () => string | undefined
  /** What was not carried because other flows bring it there, for whoever wonders why nothing came. */
  readonly leftToOthers: () => string | undefined
  /** These are gone from both sides, or not ours any more. An old note does no harm: it says that our flow may carry the item on. */
  readonly forget: (keys: ReadonlyArray<string>) => Promise<void>
}

/** The moves as they may be made; where nothing can meet itself, as they are. `note`: they are about to be made. */
export const alongWays = (context: FlowContext, planned: E.Either<SyncFailure, ReadonlyArray<Planned>>, note: boolean): Promise<E.Either<SyncFailure, ReadonlyArray<Planned>>> =>
  context.spread === undefined || E.isLeft(planned) ? Promise.resolve(planned) : context.spread.judge(planned.right, note && context.item.dryRun !== true)

export type SpreadAsk = { readonly way: Way; readonly source: string; readonly destination: string; readonly now: () => number }

type Noted = Stored<Provenance | null>

/** Somebody else notes the same item at the same time: looked at again, which ends after as many rounds as there are ways. */
const mostRounds = 5
/** Remembered within a run, so that the plan and its writes ask once; a flow that streams has any number of items. */
const mostKnown = 50_000

export const spreadOf = (registry: ProvenanceRegistry, { way, source, destination, now }: SpreadAsk): Spread => {
  const known = new Map<string, Noted>()
  let tooFar: string | undefined
  const closed: { count: number; by?: Way | undefined } = { count: 0 }
  const placeOf = (side: SideName): string => (side === 'source' ? source : destination)
  const keyAt = (side: SideName, key: string): string => provenanceKey(placeOf(side), key)

  const load = async (keys: ReadonlyArray<string>): Promise<E.Either<SyncFailure, void>> => {
    const unknown = [...new Set(keys)].filter((key) => !known.has(key))
    if (unknown.length === 0) return E.right(undefined)
    const read = await registry.read(unknown)()
    if (E.isLeft(read)) return E.left(registryDown(read.left))
    for (const key of unknown) known.set(key, read.right.get(key) ?? { value: null, revision: 0 })
    return E.right(undefined)
  }

  /** What a flow noted that is not there any more is nobody's copy. */
  const endOf = (side: SideName, { key, link, ...entry }: Entry): End => {
    const noted = known.get(keyAt(side, key))?.value ?? undefined
    const shown = (side === 'source' ? entry.a : entry.b).is
    return { place: placeOf(side), has: shown === 'changed' || shown === 'unchanged', entry: noted !== undefined && registry.isFlow(noted) ? noted : undefined }
  }

  const rulingOf = (entry: Entry, to: SideName): Ruling => ruling(way, entry.key, endOf(otherOf(to), entry), endOf(to, entry), now())

  /** Notes it; when somebody was faster, the ruling that follows from what they noted. */
  const record = async (entry: Entry, to: SideName, first: Ruling): Promise<E.Either<SyncFailure, Ruling>> => {
    let decided = first
    for (let round = 0; round < mostRounds; round++) {
      if (decided.is !== 'open' || decided.record === undefined) return E.right(decided)
      const key = keyAt(decided.record.at === 'to' ? to : otherOf(to), entry.key)
      const written = await registry.write(key, decided.record.entry, known.get(key)?.revision ?? 0)()
      if (E.isRight(written)) {
        known.set(key, { value: decided.record.entry, revision: written.right })
        return E.right({ is: 'open' })
      }
      // Refused, or nobody knows: what stands there tells
      if (written.left.is === 'broken') return E.left(registryDown(written.left))
      known.delete(key)
      const loaded = await load([key])
      if (E.isLeft(loaded)) return loaded
      decided = rulingOf(entry, to)
    }
    return E.left({ is: 'unavailable', message: `where "${entry.key}" came from could not be noted: others write it at the same time`, item: entry.key })
  }

  return {
    judge: async (planned, note) => {
      if (known.size > mostKnown) known.clear()
      const asked = planned.filter(({ entry, move }) => goingTo(entry, move) !== undefined)
      const loaded = await load(asked.flatMap(({ entry: { key } }) => [keyAt('source', key), keyAt('destination', key)]))
      if (E.isLeft(loaded)) return loaded
      const decided = new Map<Planned, Move>()
      const failed: Array<SyncFailure> = []
      await Promise.all(asked.map(async (one) => {
        const to = goingTo(one.entry, one.move)
        if (to === undefined) return
        const seen = rulingOf(one.entry, to)
        const ruled = note && one.move.do !== 'delete' ? await record(one.entry, to, seen) : E.right(seen)
        if (E.isLeft(ruled)) failed.push(ruled.left)
        else decided.set(one, moveUnder(ruled.right, one.move, to))
        if (E.isRight(ruled) && ruled.right.is === 'too-far') tooFar ??= ruled.right.why
        if (E.isRight(ruled) && ruled.right.is === 'closed' && one.move.do !== 'adopt') {
          closed.count++
          closed.by ??= endOf(to, one.entry).entry ?? endOf(otherOf(to), one.entry).entry
        }
      }))
      const [failure] = failed
      return failure === undefined ? E.right(planned.map((one) => ({ ...one, move: decided.get(one) ?? one.move }))) : E.left(failure)
    },
    tooFar: () => tooFar,
    leftToOthers: () => (closed.count === 0 ? undefined : leftText(closed.count, closed.by)),
    forget: async (keys) => {
      const noted = keys.flatMap((key) => [keyAt('source', key), keyAt('destination', key)])
      if (E.isLeft(await load(noted))) return
      await Promise.all(noted.map(async (key) => {
        const { value, revision } = known.get(key) ?? { value: null, revision: 0 }
        if (value?.conn !== way.conn || value.flow !== way.flow) return
        await registry.remove(key, revision)() // refused: it is somebody else's by now
        known.delete(key)
      }))
    },
  }
}

/** The side it would be written to, or taken over at; undefined = nothing is carried. A conflict goes either way: the rule is the same for both. */
const goingTo = ({ link }: Entry, move: Move): SideName | undefined => {
  switch (move.do) {
    case 'create':
    case 'update':
    case 'delete':
      return move.on
    case 'conflict':
      return 'destination'
    case 'adopt':
      return isLinked(link) ? undefined : 'destination'
    default:
      return undefined
  }
}

const isLinked = (link: Link | undefined): boolean => link?.idA !== undefined && link.idB !== undefined

const moveUnder = (ruled: Ruling, move: Move, to: SideName): Move => {
  // What both sides show already is only remembered, whichever way it came
  if (ruled.is === 'open' || move.do === 'adopt' || (ruled.is === 'too-far' && move.do === 'delete')) return move
  return ruled.is === 'closed' ? { do: 'nothing' } : { do: 'park', on: otherOf(to), why: ruled.why }
}

const registryDown = (failure: StoreFailure): SyncFailure => ({ is: 'unavailable', message: `where items came from cannot be looked up: ${'message' in failure ? failure.message : failure.is}`, code: 'provenance' })
