/**
 * Knows how a cancel is answered honestly: the worker that runs the connection says "running" at once; if none does, one
 * worker of the group looks into the queue and says "queued" (it took the item out) or "over". What somebody holds the
 * lease of is never taken out of the queue from under it.
 */
import { ControlAnswer, ControlQuestion } from '#libs/contracts/control.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { LeaseEntry } from '#libs/contracts/state.ts'
import { connectionInSubject, streams, subjects, type Lane } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { deleteMessage, getMessage } from '#libs/nats/stream-messages.ts'
import type { CoreMessage } from '#libs/nats/subscribe.ts'
import type { ServiceDeps } from '#libs/process/service-process.ts'
import type { Message } from './actor.ts'
import type { Ports } from './ports.ts'

/** Long enough for the worker that runs it to answer first. */
const runnerAnswersWithinMs = 400

export const cancelQuestions = ({ bus, clock }: ServiceDeps, ports: Ports, tell: (message: Message) => void) => {
  /** Who plays the connection now. A freed lease only carries the errors of earlier attempts to the next one. */
  const holderOf = async (conn: ConnectionId): Promise<LeaseEntry | undefined> => {
    const seen = await ports.state.readLease(conn)()
    return E.isRight(seen) && seen.right.entry?.free === false ? seen.right.entry : undefined
  }

  /** A message that is being worked on is found here too: ask `holderOf` first. */
  const takeOut = async (lane: Lane, conn: ConnectionId): Promise<WorkItem | undefined> => {
    const found = await getMessage(bus)(streams.work, { lastBySubject: subjects.work(lane, conn) })()
    if (E.isLeft(found) || found.right === undefined) return undefined
    const item = decode(WorkItem, found.right.body)
    const removed = await deleteMessage(bus)(streams.work, found.right.seq)()
    return E.isRight(removed) && removed.right && E.isRight(item) ? item.right : undefined
  }

  return {
    running: (message: CoreMessage): void => {
    const asked = decode(ControlQuestion, message.body)
    const conn = connectionInSubject(message.subject)
    const reason = E.isRight(asked) ? (asked.right.reason ?? 'cancelled by request') : 'cancelled by request'
    if (E.isRight(asked)) tell({ is: 'cancel', conn, reason, answer: (answer) => void message.answer(encode(ControlAnswer, answer)) })
  },
  queued: async (message: CoreMessage): Promise<void> => {
    const asked = decode(ControlQuestion, message.body)
    if (E.isLeft(asked)) {
      message.answer(encode(ControlAnswer, { found: 'over', message: `not a cancel: ${asked.left.report.join('; ')}` }))
      return
    }
    const conn = connectionInSubject(message.subject)
    if (!ConnectionId.is(conn)) return void message.answer(encode(ControlAnswer, { found: 'over', message: 'not a connection id' }))
    const asItWas = await holderOf(conn)
    await clock.sleep(runnerAnswersWithinMs)
    const holder = asItWas ?? (await holderOf(conn))
    if (holder !== undefined) {
      const told = asItWas === undefined ? 'it began just now: ask again' : `${holder.owner} was told; if it is gone, its lease lapses by itself`
      return void message.answer(encode(ControlAnswer, { found: 'running', run: holder.run, message: told }))
    }
    for (const lane of ['hot', 'cold'] as const) {
      const taken = await takeOut(lane, conn)
      if (taken === undefined) continue
      await ports.sayResult(cancelledResult(taken, asked.right.reason ?? 'cancelled by request'), undefined)()
      message.answer(encode(ControlAnswer, { found: 'queued', run: taken.run, message: 'it was taken out of the queue' }))
      return
    }
    message.answer(encode(ControlAnswer, { found: 'over', message: 'nothing is queued or running' }))
  },
  }
}

const cancelledResult = (item: WorkItem, reason: string): RunResult => ({ conn: item.conn, run: item.run, outcome: 'cancelled', cause: item.cause, startedAt: item.askedAt, finishedAt: item.askedAt, attempt: 0, quiet: false, fence: 0, flows: [], reason })
