/** `syncline explain`: why did this not sync? Reads the facts; explain.ts says what they mean. */
import type { Command } from 'commander'
import { decode } from '#libs/contracts/decode.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { Status } from '#libs/contracts/status.ts'
import { buckets, durables, streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { laneOf } from '#libs/domain/connection.ts'
import { nextSlot, type Slot } from '#libs/domain/slots.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { consumerInfo, getMessage } from '#libs/nats/stream-messages.ts'
import { action } from '../call.ts'
import { findDocument, type Found } from '../documents.ts'
import { exitCodes } from '../exit-codes.ts'
import { explain, type Facts } from '../explain.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { isAnswering } from '../presence.ts'
import type { Refusal } from '../refusal.ts'
import { agoText, isoText, painter, stateColour, table } from '../render.ts'
import { errorText } from '../show-result.ts'
import { newest, readOne } from '../stored.ts'

const shownResults = 8
const shownSlots = 3

export const registerExplain = (program: Command, io: Io): void => {
  program
    .command('explain')
    .description('why did this not sync? What happened last, what comes next, what to do')
    .argument('<connection>')
    .addHelpText('after', '\nExample:\n  $ syncline explain contacts')
    .action(action<object, readonly [conn: string]>(io, (call) => onBus(call, async (bus) => {
      const found = await findDocument(bus, call.args[0])
      if (E.isLeft(found)) return call.refuse(found.left)
      const now = call.clock.now()
      const read = await factsOf(bus, found.right, now)
      if (E.isLeft(read)) return call.refuse(read.left)
      const facts = read.right
      const { verdict, because, todo } = explain(facts, now)
      const { connection, ...rest } = facts
      call.json({ connection: connection.id, verdict, because, todo, ...rest, waiting: facts.waiting ?? null, queued: facts.queued ?? null })
      const paint = painter(io)
      call.say(`${connection.id}: ${paint('bold', verdict)}`)
      for (const line of because) call.say(`  ${line}`)
      for (const line of todo) call.say(`  ${paint('green', '→')} ${line}`)
      if (facts.results.length > 0) {
        const rows = facts.results.map((result) => [agoText(result.finishedAt, now), paint(stateColour(result.outcome), result.outcome), result.cause, result.slot === undefined ? '' : isoText(result.slot), errorText(result) ?? ''])
        for (const line of ['', 'last outcomes', ...table(['ENDED', 'OUTCOME', 'CAUSE', 'SLOT', 'WHY'], rows, paint).map((row) => `  ${row}`)]) call.say(line)
      }
      if (facts.next.length > 0 && connection.paused !== true) for (const line of ['', 'next slots', ...facts.next.map(({ due }) => `  ${isoText(due)}  ${agoText(due, now)}`)]) call.say(line)
      return exitCodes.ok
    })))
}

const factsOf = async (bus: Bus, { id, document }: Found, now: number): Promise<E.Either<Refusal, Facts>> => {
  const { connection, appliedAt } = document
  const lane = laneOf(connection)
  const [status, results, queued, waiting, scheduler, workers] = await Promise.all([
    readOne(bus, buckets.status, Status, id),
    newest(bus, streams.results, subjects.resultsOf(id), shownResults),
    getMessage(bus)(streams.work, { lastBySubject: subjects.work(lane, id) })(),
    getMessage(bus)(streams.requests, { lastBySubject: subjects.request(id) })(),
    isAnswering(bus, 'scheduler'),
    consumerInfo(bus)(streams.work, durables.work(lane))(),
  ])
  if (E.isLeft(status)) return status
  if (E.isLeft(results)) return results
  const work = E.isRight(queued) && queued.right !== undefined ? { item: decode(WorkItem, queued.right.body), storedAt: queued.right.storedAt } : undefined
  const request = E.isRight(waiting) && waiting.right !== undefined ? { asked: waiting.right.body.length === 0 ? E.right<never, SyncRequest>({}) : decode(SyncRequest, waiting.right.body), storedAt: waiting.right.storedAt } : undefined
  return E.right({
    connection, appliedAt, scheduler,
    status: status.right.value,
    results: results.right.flatMap(({ body }) => {
      const result = decode(RunResult, body)
      return E.isRight(result) ? [result.right] : []
    }),
    queued: work !== undefined && E.isRight(work.item) ? { ...work.item.right, storedAt: work.storedAt } : undefined,
    waiting: request !== undefined && E.isRight(request.asked) ? { storedAt: request.storedAt, notBefore: timeOf(request.asked.right.notBefore), reason: request.asked.right.reason } : undefined,
    idleWorkers: E.isRight(workers) ? workers.right.waitingPulls : undefined,
    next: slotsAfter(connection.id, connection.schedule, now),
  })
}

const timeOf = (notBefore: SyncRequest['notBefore']): number | undefined => {
  const at = typeof notBefore === 'string' ? Date.parse(notBefore) : notBefore
  return at === undefined || Number.isNaN(at) ? undefined : at
}

const slotsAfter = (id: Found['id'], schedule: Facts['connection']['schedule'], now: number): ReadonlyArray<Slot> => {
  const slots: Array<Slot> = []
  for (let slot = nextSlot(schedule, id, now); slot !== undefined && slots.length < shownSlots; slot = nextSlot(schedule, id, slot.due)) slots.push(slot)
  return slots
}
