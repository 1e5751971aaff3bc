/**
 * Knows how an actor lives: one message at a time per key, a bounded number of turns at once, decide and then perform.
 * Does not know where messages come from nor how they are acknowledged: whoever posts one gets its verdict.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Actor } from './actor.ts'
import { done, retryIn, type Verdict } from './verdict.ts'

export type MailboxOptions = {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** Turns at once, over all keys. */
  readonly maxInFlight: number
}

export type Mailbox<State, Message> = {
  /**
   * Resolves with the verdict when the message's turn is over; never rejects. Sources await it, which bounds the queue:
   * what waits here is at most what they hold in hand. After `close` the verdict is a retry.
   */
  readonly post: (message: Message) => Promise<Verdict>
  /** For what an actor tells itself: nobody waits, so a verdict other than done is logged. */
  readonly tell: (message: Message) => void
  /** As the last decision left it. */
  readonly state: () => State
  readonly inFlight: () => number
  /** Turns that threw: bugs, each of them logged. */
  readonly threw: () => number
  /** Takes nothing more; resolves when every message taken has had its turn. */
  readonly close: () => Promise<void>
}

/** A bug seldom mends itself within milliseconds, and a mended one need not wait longer than this. */
const afterThrowMs = 5_000
const whileClosedMs = 1_000

type Letter<Message> = { readonly message: Message; readonly settle: (verdict: Verdict) => void }

export const mailbox = <State, Message, Effect, Failure>(
  actor: Actor<State, Message, Effect, Failure>,
  { clock, log, maxInFlight }: MailboxOptions,
): Mailbox<State, Message> => {
  /** A key is here as long as it has a letter waiting or in its turn. */
  const letters = new Map<string, Array<Letter<Message>>>()
  /** Keys whose first letter may be taken, in the order they became free: no key starves another. */
  const ready = new Set<string>()
  const emptied = Promise.withResolvers<void>()
  let state = actor.initial
  let inFlight = 0
  let threw = 0
  let closed = false

  const turn = async (message: Message): Promise<Verdict> => {
    try {
      const { next, effects } = actor.decide(state, message, clock.now())
      state = next
      for (const effect of effects) {
        const performed = await actor.perform(effect)()
        if (performed._tag === 'Left') return actor.verdictOf(performed.left, message)
      }
      return done
    } catch (error) {
      // The only catch of an unexpected throw: the loop goes on, the message comes again.
      threw += 1
      log.error('actor.threw', { service: actor.name, error })
      return retryIn(afterThrowMs, `bug: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  const take = async (key: string): Promise<void> => {
    const waiting = letters.get(key)
    const letter = waiting?.shift()
    if (waiting === undefined || letter === undefined) return
    inFlight += 1
    letter.settle(await turn(letter.message))
    inFlight -= 1
    if (waiting.length > 0) ready.add(key)
    else letters.delete(key)
    pump()
  }

  const pump = (): void => {
    for (const key of ready) {
      if (inFlight >= maxInFlight) return
      ready.delete(key)
      void take(key)
    }
    if (closed && letters.size === 0) emptied.resolve()
  }

  const post = (message: Message): Promise<Verdict> => {
    if (closed) return Promise.resolve(retryIn(whileClosedMs, `${actor.name} is stopping`))
    return new Promise((settle) => {
      const key = actor.keyOf(message)
      const waiting = letters.get(key)
      if (waiting !== undefined) waiting.push({ message, settle })
      else {
        letters.set(key, [{ message, settle }])
        ready.add(key)
      }
      pump()
    })
  }

  return {
    post,
    tell: (message) => {
      void post(message).then((verdict) => {
        if (verdict.is !== 'done' && !closed) log.error('actor.told-in-vain', { service: actor.name, verdict: verdict.is, reason: verdict.reason })
      })
    },
    state: () => state,
    inFlight: () => inFlight,
    threw: () => threw,
    close: () => {
      closed = true
      pump()
      return emptied.promise
    },
  }
}
