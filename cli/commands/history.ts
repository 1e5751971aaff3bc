/** `syncline history`: the runs of a connection, newest first; with --all the quiet and skipped ones too. */
import type { Command } from 'commander'
import { decode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { HistoryEntry } from '#libs/contracts/status.ts'
import { buckets, streams, subjects } from '#libs/contracts/subjects.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { action } from '../call.ts'
import { findDocument, unknown } from '../documents.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { refusalOf, type Refusal } from '../refusal.ts'
import { agoText, countsText, painter, spanText, stateColour, table } from '../render.ts'
import { errorText, sumOf } from '../show-result.ts'
import { newest } from '../stored.ts'

type Options = { readonly limit: number; readonly all?: boolean }

export const registerHistory = (program: Command, io: Io): void => {
  program
    .command('history')
    .description('the runs of a connection, newest first')
    .argument('<connection>')
    .option('--limit <n>', 'most runs to show', wholeNumber(1, 10_000), 10)
    .option('--all', 'also runs that found nothing to do, and skipped slots: of the last 7 days')
    .addHelpText('after', '\nUp to 64 runs that did something are kept for good; everything else for 7 days.\n\nExamples:\n  $ syncline history contacts\n  $ syncline history contacts --all --limit 50 --json')
    .action(action<Options, readonly [conn: string]>(io, (call) => onBus(call, async (bus) => {
      const [conn] = call.args
      const { limit, all } = call.options
      if (!ConnectionId.is(conn)) return call.refuse(await unknown(bus, conn))
      const read = await (all === true ? everyResult(bus, conn, limit) : kept(bus, conn))
      if (E.isLeft(read)) return call.refuse(read.left)
      if (read.right.length === 0) {
        // A removed connection keeps its history; one that never was has none
        const found = await findDocument(bus, conn)
        if (E.isLeft(found)) return call.refuse(found.left)
      }
      const runs = read.right.slice(0, limit)
      call.json({ connection: conn, history: runs })
      const [now, paint] = [call.clock.now(), painter(io)]
      if (runs.length === 0) call.say(`${conn} has no runs yet: syncline explain ${conn}`)
      else for (const line of table(['ENDED', 'OUTCOME', 'CAUSE', 'TOOK', 'RUN', 'WHAT'], runs.map((run) => row(run, now, paint)), paint)) call.say(line)
      return exitCodes.ok
    })))
}

const row = (result: RunResult, now: number, paint: ReturnType<typeof painter>): ReadonlyArray<string> => {
  const why = result.outcome === 'succeeded' ? undefined : errorText(result)
  const counts = result.outcome === 'skipped' ? [] : [countsText(sumOf(result))]
  const cause = result.asked?.what ?? result.cause
  const asked = result.asked === undefined ? [] : [[...(result.asked.by === undefined ? [] : [`by ${result.asked.by}`]), ...(result.asked.reason === undefined ? [] : [result.asked.reason])].join(', ')].filter((text) => text !== '')
  return [
    agoText(result.finishedAt, now), paint(stateColour(result.outcome), result.outcome), result.dryRun === true ? `${cause} (dry)` : cause,
    spanText(result.finishedAt - result.startedAt), result.run, [...asked, ...counts, ...(why === undefined ? [] : [why])].join(': '),
  ]
}

/** Newest first: written in the order of arrival, which over several trackers is not quite the order of the ends. */
const kept = async (bus: Bus, conn: ConnectionId): Promise<E.Either<Refusal, ReadonlyArray<RunResult>>> => {
  const entries = await openBucket(bus)(buckets.history).history(conn)()
  if (E.isLeft(entries)) return E.left(refusalOf(`the history of ${conn}`)(entries.left))
  return E.right(entries.right
    .flatMap(({ value }) => readable(value === null ? undefined : decode(HistoryEntry, value)))
    .sort((a, b) => b.finishedAt - a.finishedAt))
}

const everyResult = async (bus: Bus, conn: ConnectionId, limit: number): Promise<E.Either<Refusal, ReadonlyArray<RunResult>>> =>
  E.map((messages: ReadonlyArray<{ readonly body: Uint8Array }>) => messages.flatMap(({ body }) => readable(decode(RunResult, body))))(await newest(bus, streams.results, subjects.resultsOf(conn), limit))

const readable = (decoded: E.Either<unknown, RunResult> | undefined): ReadonlyArray<RunResult> =>
  decoded !== undefined && E.isRight(decoded) ? [decoded.right] : []
