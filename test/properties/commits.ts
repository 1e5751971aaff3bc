/**
 * Judges every commit of a run as it is stored. I6: fences never go back, and each write of state was conditional on the
 * lease. I8: what a cursor has passed is at the peer, agreed on, held or parked (SYNC.md §F.5).
 */
import type { MemoryStore, Stored } from '#libs/connectors/memory/store.ts'
import type { Side } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import type { Fields } from '#libs/domain/record.ts'
import type { StateStore } from '../../services/sync-worker/ports.ts'
import type { MemoryState } from '../support/memory-state.ts'
import type { Excuses } from './excuses.ts'
import type { Knowledge } from './knowledge.ts'
import type { SideName } from './side-names.ts'
import { Violation } from './violation.ts'

export type Remembered = { readonly checkpoint: Checkpoint | null; readonly links: ReadonlyArray<Link> }

export type Committed = {
  readonly state: MemoryState
  readonly store: (side: SideName) => MemoryStore
  readonly knowledge: Knowledge
  readonly excuses: Excuses
  readonly remembered: () => Remembered
  /** The destination of a one-way flow may hold things of its own. */
  readonly followed: ReadonlyArray<SideName>
  /** A side may not be written now, and the flow leaves alone what it cannot carry there (T17). */
  readonly ignores: () => boolean
  /** The run was lied to about this item. */
  readonly isLeftOut: (side: SideName, key: string) => boolean
  /** Of content as the engine is shown it. */
  readonly hashAt: (side: SideName, fields: Fields) => string
}

export type CommitJudge = {
  /** A run begins: what its cursors have passed already was judged then. */
  readonly begin: () => void
  readonly watchState: (state: StateStore) => StateStore
  readonly watchSide: (side: Side) => Side
  /** Throws what was found since the last call: inside a run it would be taken for a bug of the engine. */
  readonly judge: () => void
}

export const commitJudge = (committed: Committed): CommitJudge => {
  const { state } = committed
  const found: Array<Violation> = []
  const fences = new Map<string, number>()
  let seen = 0
  let began: Remembered = { checkpoint: null, links: [] }
  const letLie = new Set<string>()

  const fenceOf = (key: string, fence: number): void => {
    const before = fences.get(key) ?? 0
    if (fence < before) found.push(new Violation(`I6: a commit to ${key} with fence ${fence} was accepted after one with ${before}`))
    fences.set(key, fence)
  }
  const readLog = (): void => {
    for (const { key, value, under } of state.log.slice(seen)) {
      if (key.startsWith('lease.')) continue
      if (!under.some((condition) => condition.startsWith('lease.'))) found.push(new Violation(`I6: ${key} was written whoever held the lease`))
      if (key.startsWith('ckpt.')) fenceOf(key, (value as Checkpoint).fence)
    }
    seen = state.log.length
  }
  const look = (): void => {
    readLog()
    const { checkpoint, links } = committed.remembered()
    if (checkpoint !== null) found.push(...passed(committed, { began, letLie }, { checkpoint, links }))
  }
  /** Whatever the answer says: it may have been lost. */
  const looked = <A>(call: () => Promise<A>) => async (): Promise<A> => {
    const answer = await call()
    look()
    return answer
  }

  return {
    begin: () => {
      began = committed.remembered()
    },
    watchState: (inner) => ({
      ...inner,
      writeCheckpoint: (...ask) => looked(inner.writeCheckpoint(...ask)),
      writeBatch: (batch) => looked(inner.writeBatch(batch)),
    }),
    watchSide: (side) => {
      const { ledger } = side
      return ledger === undefined ? side : { ...side, ledger: { ...ledger, commit: (commit, signal) => looked(ledger.commit(commit, signal)) } }
    },
    judge: () => {
      readLog()
      const [first] = found.splice(0)
      if (first !== undefined) throw first
    },
  }
}

/** `letLie`: what a cursor passed beside a sealed side; the next complete look takes it up, not the next delta. */
type Past = { readonly began: Remembered; readonly letLie: Set<string> }

type Cursor = { readonly era: number; readonly place: number; readonly after?: string }

/** I8, by the journal of each side: what changed after the cursor's place is for the next run. */
const passed = (committed: Committed, { began, letLie }: Past, { checkpoint, links }: Remembered): ReadonlyArray<Violation> =>
  committed.followed.flatMap((side) => {
    const text = cursorOf(checkpoint, side)
    const cursor = text === null ? undefined : (JSON.parse(text) as Cursor)
    const store = committed.store(side)
    if (cursor?.era !== store.era()) return []
    const isPassed = (remoteId: string, revision: number): boolean => revision <= cursor.place && (cursor.after === undefined || remoteId <= cursor.after)
    const liesAt = (remoteId: string, place: number): boolean => {
      const it = `${side}|${remoteId}|${place}`
      if (committed.ignores()) letLie.add(it)
      return letLie.has(it)
    }
    const excuse = excuseOf(committed, side, {
      liesAt,
      // A new item that an earlier run's cursor passed was left out then: seeing it now does not bring the cursor back.
      passedBefore: cursorOf(began.checkpoint, side) === text ? (id) => !began.links.some((link) => idOf(link, side) === id) : () => false,
      // Before a listing counts as done, what it did not show is asked for.
      askedLater: cursor.after === undefined ? () => false : ({ genA }) => side === 'source' && genA !== checkpoint?.gen,
    })
    const items = store.all().filter(({ remoteId, revision }) => isPassed(remoteId, revision)).filter((item) => isLost(committed, side, item, links, excuse))
    const gone = cursor.after !== undefined ? [] : store.changesAfter(0).filter(({ gone: isGone, place }) => isGone && place <= cursor.place)
    const kept = gone.filter(({ remoteId, place }) => !committed.excuses.waives('I8 deletions', liesAt(remoteId, place) ? 'ignored beside a sealed side' : undefined)
      && links.some((link) => isLive(link) && idOf(link, side) === remoteId && sees(link, side) !== 'deleted'))
    return [
      ...items.map(({ remoteId, key }) => new Violation(`I8: the cursor passed ${key} (${remoteId}) of the ${side}, which is not remembered as it is`)),
      ...kept.map(({ remoteId, key }) => new Violation(`I8: the cursor passed the deletion of ${key} (${remoteId}) at the ${side}, and nothing followed`)),
    ]
  })

const cursorOf = (checkpoint: Checkpoint | null, side: SideName): string | null => (side === 'source' ? checkpoint?.cursorA : checkpoint?.cursorB) ?? null

type Excuse = (item: Stored, known: Link | undefined) => string | undefined
type Passing = { readonly liesAt: (remoteId: string, place: number) => boolean; readonly passedBefore: (remoteId: string) => boolean; readonly askedLater: (link: Link) => boolean }

const excuseOf = ({ knowledge, isLeftOut }: Committed, side: SideName, { liesAt, passedBefore, askedLater }: Passing): Excuse => ({ remoteId, revision, key }, known) => {
  if (liesAt(remoteId, revision)) return 'ignored beside a sealed side'
  if (known !== undefined) return askedLater(known) ? 'asked for when the listing ends' : undefined
  if (isLeftOut(side, key)) return 'left out of the listing'
  return knowledge.wasShown(side, remoteId) && !passedBefore(remoteId) ? undefined : 'left out of an earlier listing'
}

const isLost = ({ excuses, hashAt }: Committed, side: SideName, item: Stored, links: ReadonlyArray<Link>, excuse: Excuse): boolean => {
  const { remoteId, key, fields, spoilt } = item
  const mine = links.filter((link) => link.key === key || idOf(link, side) === remoteId)
  if (excuses.waives('I8 items', excuse(item, mine.find((link) => idOf(link, side) === remoteId && link.key === key)))) return false
  if (mine.some((link) => !isLive(link))) return false
  return spoilt !== undefined || !mine.some((link) => idOf(link, side) === remoteId && sees(link, side) === hashAt(side, fields))
}

const isLive = ({ st }: Link): boolean => st === 'linked'
const idOf = ({ idA, idB }: Link, side: SideName): string | undefined => (side === 'source' ? idA : idB)
/** What the link says of this side's content: agreed on, or a difference that was noted. */
const sees = ({ hA, hB, seenA, seenB }: Link, side: SideName): string | undefined => (side === 'source' ? (seenA ?? hA) : (seenB ?? hB))
