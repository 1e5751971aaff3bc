/**
 * Knows the round that finds work items whose advisory was lost: counts first, and only when they do not add up a look
 * at the oldest messages. Does not know how one is laid to rest: bury.ts does.
 */
import { done } from '#libs/actor/verdict.ts'
import type { Verdict } from '#libs/actor/verdict.ts'
import { decode } from '#libs/contracts/decode.ts'
import type { Status } from '#libs/contracts/status.ts'
import { connectionInSubject, streams } from '#libs/contracts/subjects.ts'
import type { Lane } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { E, TE } from '#libs/fp.ts'
import type { Log } from '#libs/telemetry/log.ts'
import type { Lost } from './join.ts'
import { overdue } from './overdue.ts'
import type { Candidate, Patience } from './overdue.ts'
import type { Stored, TrackerPorts, Trouble } from './ports.ts'
import { describe } from './refusals.ts'

export type SweepPorts = Pick<TrackerPorts, 'work' | 'status' | 'says'> & {
  readonly bury: (lost: Lost) => TE.TaskEither<Trouble, unknown>
  readonly now: () => number
}

export type Swept = { readonly buried: number; readonly unsure: number }

/** One round looks at so many messages of a lane, about 0.2 ms each; the next round goes on with what is left. */
const mostLookedAt = 1_000

export const sweep =
  (ports: SweepPorts, patience: Patience): TE.TaskEither<Trouble, Swept> =>
  async () => {
    const unaccounted = await ports.work.unaccounted()
    if (unaccounted._tag === 'Left') return unaccounted
    let buried = 0
    let unsure = 0
    if (unaccounted.right > 0) {
      for (const lane of ['hot', 'cold'] as const) {
        const swept = await sweepLane(ports, lane, patience)
        if (swept._tag === 'Left') return swept
        buried += swept.right.buried
        unsure += swept.right.unsure
      }
    }
    return E.right({ buried, unsure })
  }

const sweepLane = async (ports: SweepPorts, lane: Lane, patience: Patience): Promise<E.Either<Trouble, Swept>> => {
  const before = await ports.work.lane(lane)()
  if (before._tag === 'Left') return before
  const oldest = await ports.work.oldest(lane, mostLookedAt)()
  if (oldest._tag === 'Left') return oldest
  const candidates = await Promise.all(oldest.right.map((message) => candidateOf(ports, message)))
  const after = await ports.work.lane(lane)()
  if (after._tag === 'Left') return after
  const isStill = JSON.stringify({ ...before.right, waitingPulls: 0 }) === JSON.stringify({ ...after.right, waitingPulls: 0 })
  const found = overdue({ oldest: candidates, lane: after.right, isStill }, ports.now(), patience)
  for (const message of oldest.right.filter(({ seq }) => found.certain.includes(seq))) {
    const laid = await ports.bury(lostBySilence(message, ports.now()))()
    if (laid._tag === 'Left') return laid
  }
  return E.right({ buried: found.certain.length, unsure: found.unsure })
}

const candidateOf = async (ports: SweepPorts, message: Stored): Promise<Candidate> => {
  const item = decode(WorkItem, message.body)
  const plain = { seq: message.seq, storedAt: message.storedAt }
  if (item._tag === 'Left') return plain
  const status = await ports.status.read(connectionInSubject(message.subject))()
  const running = status._tag === 'Right' ? status.right.value?.running : undefined
  return running?.run === item.right.run ? { ...plain, aliveUntil: aliveUntil(running) } : plain
}

const aliveUntil = (running: NonNullable<Status['running']>): number =>
  Math.max(running.since, running.progress?.at ?? 0, running.nextAttemptAt ?? 0)

const lostBySilence = (original: Stored, now: number): Lost => ({
  stream: streams.work,
  original,
  deliveries: 0,
  noticedAt: now,
  why: 'given to workers as often as allowed and never finished; found by the sweeper, the server’s advisory was lost',
})

/** The rounds of `every`. What stays unsure for two rounds in a row is told: a person can compare and delete (NATS.md §5.6). */
export const sweeper = (ports: SweepPorts & { readonly log: Log }, patience: Patience): (() => Promise<Verdict>) => {
  let unsureBefore = 0
  return async () => {
    const swept = await sweep(ports, patience)()
    if (swept._tag === 'Left') {
      ports.log.warn('tracker.sweep-failed', { reason: describe(swept.left) })
      return done
    }
    const { buried, unsure } = swept.right
    if (buried > 0 || unsure > 0) ports.log.warn('tracker.swept', { count: buried, pending: unsure })
    if (unsure > 0 && unsureBefore > 0) {
      const message = `${unsure} work items were given to workers as often as allowed, but cannot be told from those that wait for their next attempt`
      ports.says.alert({ conn: 'unknown', kind: 'work-stuck', count: unsure, at: ports.now(), message, mend: 'start a worker: while one waits for work, silence tells them apart' })
    }
    unsureBefore = unsure
    return done
  }
}
