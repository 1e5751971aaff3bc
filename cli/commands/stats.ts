/** `syncline stats`: running totals, of one connection or of all. */
import type { Command } from 'commander'
import type { Counts } from '#libs/contracts/result.ts'
import { Stats, Status } from '#libs/contracts/status.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { action } from '../call.ts'
import { findDocument } from '../documents.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import type { Refusal } from '../refusal.ts'
import { agoText, countsText, painter, spanText, table } from '../render.ts'
import { readAllAs, readOne } from '../stored.ts'

export const registerStats = (program: Command, io: Io): void => {
  program
    .command('stats')
    .description('running totals: runs by outcome, items moved, time taken')
    .argument('[connection]')
    .addHelpText('after', '\nExamples:\n  $ syncline stats\n  $ syncline stats contacts --json')
    .action(action<object, readonly [conn?: string]>(io, (call) => onBus(call, async (bus) => {
      const read = await statsOf(bus, call.args[0])
      if (E.isLeft(read)) return call.refuse(read.left)
      const now = call.clock.now()
      call.json({ connections: read.right.map((stats) => ({ connection: stats.conn, runs: stats.runs, quietRuns: stats.quietRuns, totals: stats.totals, averageMs: averageMs(stats), since: stats.since, updatedAt: stats.updatedAt })) })
      if (read.right.length === 0) call.say('nothing has run yet')
      else for (const line of table(['CONNECTION', 'RUNS', 'QUIET', 'AVERAGE', 'SINCE', 'ITEMS'], read.right.map((stats) => rowOf(stats, now)), painter(io))) call.say(line)
      return exitCodes.ok
    })))
}

const rowOf = (stats: Stats, now: number): ReadonlyArray<string> => {
  const average = averageMs(stats)
  const runs = Object.entries(stats.runs).map(([outcome, n]) => `${n} ${outcome}`).join(', ')
  return [stats.conn, runs === '' ? 'none' : runs, String(stats.quietRuns), average === null ? '-' : spanText(average), agoText(stats.since, now), countsText(stats.totals satisfies Counts)]
}

/** Over everything that ran; skipped slots took no time. */
const averageMs = ({ runs, durationMsSum }: Stats): number | null => {
  const ran = Object.entries(runs).reduce((sum, [outcome, n]) => (outcome === 'skipped' ? sum : sum + n), 0)
  return ran === 0 ? null : Math.round(durationMsSum / ran)
}

const statsOf = async (bus: Bus, conn: string | undefined): Promise<E.Either<Refusal, ReadonlyArray<Stats>>> => {
  if (conn === undefined) {
    const [all, statuses] = await Promise.all([readAllAs(bus, buckets.stats, Stats), readAllAs(bus, buckets.status, Status)])
    if (E.isLeft(all)) return all
    if (E.isLeft(statuses)) return statuses
    const [counted, waiting] = [all.right.values, statuses.right.values]
    return E.right([...new Set([...counted.keys(), ...waiting.keys()])].sort().flatMap((id) => withWaiting(counted.get(id)?.value, waiting.get(id)?.value) ?? []))
  }
  const found = await findDocument(bus, conn)
  if (E.isLeft(found)) return found
  const [one, status] = await Promise.all([readOne(bus, buckets.stats, Stats, conn), readOne(bus, buckets.status, Status, conn)])
  if (E.isLeft(one)) return one
  return E.map(({ value }: { readonly value: Status | undefined }) => [withWaiting(one.right.value, value) ?? []].flat())(status)
}

/** Quiet runs wait in the status before they are counted. */
const withWaiting = (stats: Stats | undefined, status: Status | undefined): Stats | undefined => {
  const waiting = (status?.uncounted ?? []).filter(({ run }) => stats?.counted?.includes(run) !== true)
  const [first] = waiting
  if (status === undefined || first === undefined) return stats
  const sum = { ...(stats ?? { conn: status.conn, runs: {}, quietRuns: 0, totals: noCounts, durationMsSum: 0, since: first.startedAt, updatedAt: 0 }) }
  for (const { startedAt, finishedAt, read, unchanged } of waiting) {
    sum.runs = { ...sum.runs, succeeded: (sum.runs['succeeded'] ?? 0) + 1 }
    sum.quietRuns += 1
    sum.totals = { ...sum.totals, read: sum.totals.read + read, unchanged: sum.totals.unchanged + unchanged }
    sum.durationMsSum += Math.max(0, finishedAt - startedAt)
    sum.updatedAt = Math.max(sum.updatedAt, finishedAt)
  }
  return sum
}

const noCounts: Counts = { read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0 }
