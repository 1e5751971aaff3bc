/**
 * Knows how calls to one limited account queue up in this process: those of each connection in their order, the connections
 * in turn, so that one connection's backfill does not keep the others waiting. Calls are handed out as the shared budget
 * gives them; while NATS is away, from this worker's own equal part. When the budget cannot be asked, nobody calls.
 */
import type { Clock } from '#libs/clock.ts'
import type { Budget, Share } from '#libs/resilience/budget.ts'
import { ownShare, reserve } from '#libs/resilience/budget.ts'
import type { SharedStates } from './shared-states.ts'

/** A call waits here for its turn at most so long; then its run is put off (as an inline retry: SYNC.md §D.1). */
const longestWaitMs = 5_000
/** The budget could not be asked, and not because NATS is away. */
const troubledMs = 30_000

const mostLateMs = 25

/** null: call now. A number: not before then, ms since the epoch. */
export type Turn = number | null

type Waiting = { readonly since: number; readonly tell: (turn: Turn) => void }

export type ProviderLine = { readonly take: (conn: string, signal: AbortSignal) => Promise<Turn> }

export const providerLine = (key: string, worker: string, states: SharedStates, clock: Clock, stopped: AbortSignal): ProviderLine => {
  const waiting = new Map<string, Array<Waiting>>()
  let own: Budget | undefined
  let isServing = false

  const count = (): number => [...waiting.values()].reduce((sum, { length }) => sum + length, 0)

  /** The connection whose turn it is goes to the end. */
  const next = (): Waiting | undefined => {
    for (const [conn, [first, ...others]] of waiting) {
      waiting.delete(conn)
      if (others.length > 0) waiting.set(conn, others)
      if (first !== undefined) return first
    }
    return undefined
  }

  /** Those who would have waited too long by then. */
  const sendAway = (until: number): void => {
    for (const one of [...waiting.values()].flat()) if (stopped.aborted || one.since + longestWaitMs < until) one.tell(until)
  }

  const ask = async (wanted: number): Promise<Share> => {
    let share: Share = { is: 'wait', until: clock.now() + troubledMs }
    const changed = await states.change(key, (state) => {
      const [after, mine] = reserve(state, wanted, worker, clock.now())
      share = mine
      return after
    })
    if (changed.is === 'done') {
      own = undefined
      return share
    }
    if (changed.is === 'crowded') return { is: 'wait', until: clock.now() + longestWaitMs / 10 }
    if (changed.is === 'broken') return { is: 'wait', until: clock.now() + troubledMs }
    const [after, mine] = reserve(own ?? ownShare<Budget>(states.known(key), clock.now()), wanted, worker, clock.now())
    own = after
    return mine
  }

  const serve = async (): Promise<void> => {
    isServing = true
    try {
      for (let wanted = count(); wanted > 0; wanted = count()) {
        sendAway(clock.now())
        const share = await ask(wanted)
        if (share.is === 'wait') {
          sendAway(share.until)
          if (count() > 0) await clock.sleep(share.until - clock.now(), stopped)
          continue
        }
        const heardAt = clock.now()
        for (const at of share.at) {
          if (at > clock.now()) await clock.sleep(at - clock.now(), stopped)
          if (stopped.aborted) return sendAway(clock.now())
          // A call that this process was too busy to make at its time would come together with later ones: it is forgone
          if (clock.now() <= Math.max(at, heardAt) + mostLateMs) next()?.tell(null)
        }
      }
    } finally {
      isServing = false // in the same turn as the last look at the queue: who comes now starts anew
    }
  }

  return {
    take: (conn, signal) =>
      new Promise<Turn>((resolve) => {
        const leave = (): void => tell(clock.now())
        const tell = (turn: Turn): void => {
          signal.removeEventListener('abort', leave)
          const others = (waiting.get(conn) ?? []).filter((other) => other !== mine)
          if (others.length > 0) waiting.set(conn, others)
          else waiting.delete(conn)
          resolve(turn)
        }
        const mine: Waiting = { since: clock.now(), tell }
        if (signal.aborted || stopped.aborted) {
          resolve(clock.now())
          return
        }
        signal.addEventListener('abort', leave, { once: true })
        waiting.set(conn, [...(waiting.get(conn) ?? []), mine])
        if (!isServing) void serve()
      }),
  }
}
