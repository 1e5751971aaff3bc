/**
 * Knows the states of the provider accounts as all workers see them: a watched copy for looking, a conditional write for
 * changing. A healthy account has no entry and costs nothing. Does not know what the states mean.
 */
import type { Clock } from '#libs/clock.ts'
import type { ProviderState } from '#libs/contracts/provider-state.ts'
import { E, type TE } from '#libs/fp.ts'
import type { Random } from '#libs/random.ts'
import { healthy } from '#libs/resilience/breaker.ts'

export type StoreTrouble =
  /** Somebody else wrote first, or the outcome is unknown: read again and decide again. */
  | { readonly is: 'refused' }
  /** NATS cannot be reached. */
  | { readonly is: 'away' }
  | { readonly is: 'broken'; readonly message: string }

/** `state` null: nothing is wrong. `revision`: what the next write must expect. */
export type Kept = { readonly state: ProviderState | null; readonly revision: number }

export type ProviderStore = {
  /** The standing of the key as the leader has it. */
  readonly read: (key: string) => TE.TaskEither<StoreTrouble, Kept>
  /** null takes the entry away. Answers the new revision. */
  readonly write: (key: string, state: ProviderState | null, revision: number) => TE.TaskEither<StoreTrouble, number>
  /** `ready` once everything there is was handed over, or that cannot be had now. */
  readonly follow: (onKept: (key: string, kept: Kept) => void) => { readonly ready: Promise<void>; readonly stop: () => Promise<void> }
}

export type Changed = { readonly is: 'done'; readonly state: ProviderState } | Exclude<StoreTrouble, { is: 'refused' }> | { readonly is: 'crowded' }

export type SharedStates = {
  readonly known: (key: string) => ProviderState
  /** `step` may be called several times; it answers the state it was given when nothing is to be changed. */
  readonly change: (key: string, step: (state: ProviderState) => ProviderState) => Promise<Changed>
  readonly ready: Promise<void>
  readonly stop: () => Promise<void>
}

const fresh: ProviderState = { breaker: healthy }

/** With a hundred workers at one account somebody always gets through; who does not after this many tries goes without. */
const mostTries = 12

export const sharedStates = (store: ProviderStore, clock: Clock, random: Pick<Random, 'next'>): SharedStates => {
  const all = new Map<string, Kept>()
  /** One write of this process per key at a time. */
  const turns = new Map<string, Promise<unknown>>()

  const following = store.follow((key, kept) => {
    if ((all.get(key)?.revision ?? 0) < kept.revision) all.set(key, kept)
  })
  const known = (key: string): ProviderState => all.get(key)?.state ?? fresh

  const tryToChange = async (key: string, step: (state: ProviderState) => ProviderState): Promise<Changed> => {
    for (let tries = 1; tries <= mostTries; tries++) {
      const { state, revision } = all.get(key) ?? { state: null, revision: 0 }
      const next = step(state ?? fresh)
      if (next === (state ?? fresh)) return { is: 'done', state: next }
      const kept = isOrdinary(next, clock.now()) ? null : next
      const written = await store.write(key, kept, revision)()
      if (E.isRight(written)) {
        if ((all.get(key)?.revision ?? 0) < written.right) all.set(key, { state: kept, revision: written.right })
        return { is: 'done', state: next }
      }
      if (written.left.is !== 'refused') return written.left
      if (tries > 2) await clock.sleep(random.next() * 10 * tries)
      const read = await store.read(key)()
      if (E.isRight(read)) all.set(key, read.right) // also when it is older: a bucket that was restored
      else if (read.left.is !== 'refused') return read.left
    }
    return { is: 'crowded' }
  }

  return {
    known,
    change: (key, step) => {
      const turn = (turns.get(key) ?? Promise.resolve()).then(() => tryToChange(key, step))
      turns.set(key, turn)
      return turn.finally(() => {
        if (turns.get(key) === turn) turns.delete(key)
      })
    },
    ready: following.ready,
    stop: async () => {
      await following.stop()
      await Promise.allSettled(turns.values())
    },
  }
}

/** Nothing in it that anybody would miss. */
const isOrdinary = ({ breaker, pace, window, pausedUntil = 0, namelessSince }: ProviderState, now: number): boolean =>
  breaker.is === 'closed' && breaker.failures === 0 && pace === undefined && window === undefined && pausedUntil <= now && namelessSince === undefined
