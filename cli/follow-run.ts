/**
 * Knows how to wait for one run to end: it listens from before the run was asked for, and looks now and then at what is
 * stored, in case the news got lost. A run put off ends under another id; that one is followed too.
 */
import type { Clock } from '#libs/clock.ts'
import { decode, type Contract } from '#libs/contracts/decode.ts'
import { Progress } from '#libs/contracts/progress.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { Outcome } from '#libs/domain/states.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import { subscribe, type CoreMessage } from '#libs/nats/subscribe.ts'

export type Ended =
  | { readonly is: 'ended'; readonly result: RunResult }
  | { readonly is: 'timed-out' }
  | { readonly is: 'interrupted' }

export type FollowOptions = {
  readonly timeoutMs: number | undefined
  readonly interrupted: AbortSignal
  readonly onProgress: (progress: Progress) => void
}

export type RunWatch = {
  readonly until: (run: string, options: FollowOptions) => Promise<Ended>
  readonly stop: () => Promise<void>
}

/** Often enough when the one message was lost, seldom enough to cost nothing. */
const lookEveryMs = 3_000

/** Resolves once it listens. */
export const watchRuns = async (bus: Bus, conn: ConnectionId, clock: Clock, note: (line: string) => void): Promise<RunWatch> => {
  const progresses: Array<Progress> = []
  const results: Array<RunResult> = []
  let news = Promise.withResolvers<void>()
  const into = <A>(contract: Contract<A>, list: Array<A>) => ({ body }: CoreMessage): void => {
    const decoded = decode(contract, body)
    if (E.isLeft(decoded)) return
    list.push(decoded.right)
    news.resolve()
  }
  const onError = (failure: Parameters<typeof describeNatsFailure>[0]): void => note(`cannot listen: ${describeNatsFailure(failure)}; looking at the stored results instead`)
  const listening = [
    subscribe(bus, { subject: subjects.progress(conn), handle: into(Progress, progresses), onError }),
    subscribe(bus, { subject: subjects.resultsOf(conn), handle: into(RunResult, results), onError }),
  ]
  await bus.flush()

  const until: RunWatch['until'] = async (asked, { timeoutMs, interrupted, onProgress }) => {
    const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + timeoutMs
    const stopped = new Promise<void>((resolve) => {
      interrupted.addEventListener('abort', () => resolve(), { once: true })
      if (interrupted.aborted) resolve()
    })
    let putOffAt: number | undefined
    const isOurs = ({ run, cause, startedAt }: RunResult): boolean => run === asked || (putOffAt !== undefined && cause === 'deferral' && startedAt >= putOffAt)
    for (;;) {
      news = Promise.withResolvers<void>()
      for (const progress of progresses.splice(0)) {
        if (progress.run !== asked && putOffAt === undefined) continue
        if (progress.run === asked && progress.state === 'deferred') putOffAt = progress.at
        onProgress(progress)
      }
      const result = results.find(isOurs)
      if (result !== undefined) return { is: 'ended', result }
      const left = deadline - clock.monotonic()
      if (interrupted.aborted) return { is: 'interrupted' }
      if (left <= 0) return { is: 'timed-out' }
      const enough = new AbortController()
      const woken = await Promise.race([
        news.promise.then(() => 'news' as const),
        clock.sleep(Math.min(lookEveryMs, left), enough.signal).then(() => 'look' as const),
        stopped.then(() => 'news' as const),
      ])
      enough.abort()
      if (woken === 'look') results.push(...(await lastResults(bus, conn)))
    }
  }
  return { until, stop: async () => void (await Promise.all(listening.map((one) => one.stop()))) }
}

/** The last result of each outcome. Without the right to read them there are none, and listening has to do. */
const lastResults = async (bus: Bus, conn: ConnectionId): Promise<ReadonlyArray<RunResult>> => {
  const outcomes = Object.keys(Outcome.keys) as ReadonlyArray<Outcome>
  const read = await Promise.all(outcomes.map((outcome) => getMessage(bus)(streams.results, { lastBySubject: subjects.result(conn, outcome) })()))
  return read.flatMap((message) => {
    const decoded = E.isRight(message) && message.right !== undefined ? decode(RunResult, message.right.body) : undefined
    return decoded !== undefined && E.isRight(decoded) ? [decoded.right] : []
  })
}
