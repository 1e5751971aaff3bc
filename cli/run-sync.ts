/** Knows the story of one asked-for run: listen, ask the scheduler, perhaps wait for the end, tell it, answer the exit code. */
import type { OperatorQuestion, TriggerAnswer } from '#libs/contracts/trigger.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { operate, trigger } from './ask-services.ts'
import type { Call } from './call.ts'
import { unknown } from './documents.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { watchRuns, type Ended, type RunWatch } from './follow-run.ts'
import { progressLine } from './progress-line.ts'
import { refusal } from './refusal.ts'
import { painter } from './render.ts'
import { exitOf, resultLines } from './show-result.ts'

/** `byOperator`: asked by the door that only operators may use. */
export type Wish = { readonly question: OperatorQuestion; readonly byOperator?: boolean; readonly isAwaited: boolean; readonly timeoutMs: number | undefined }

export const runSync = async (call: Call<object, ReadonlyArray<unknown>>, bus: Bus, conn: string, wish: Wish): Promise<ExitCode> => {
  if (!ConnectionId.is(conn)) return call.refuse(await unknown(bus, conn))
  const watch = wish.isAwaited ? await watchRuns(bus, conn, call.clock, call.note) : undefined
  try {
    const answered = await (wish.byOperator === true ? operate : trigger)(bus, conn, wish.question)
    if (E.isLeft(answered)) return call.refuse(answered.left)
    const answer = answered.right
    // Whoever waits also waits for a run that was there already (DESIGN §13); for a preview of its own it must be his own run
    const isTheirs = answer.answer === 'already-running' && wish.question.dryRun !== true && wish.byOperator !== true
    const follows = answer.run !== undefined && (answer.answer === 'accepted' || answer.answer === 'queued' || isTheirs)
    if (watch === undefined || !follows || answer.run === undefined) return await told(call, bus, conn, answer)
    if (answer.answer !== 'accepted') call.note(answer.message)
    const code = await awaited(call, conn, answer, answer.run, watch, wish.timeoutMs)
    // What went on was a reset or an undo, which bring nothing into step: now a run of our own
    return code === 'no sync' ? await runSync(call, bus, conn, wish) : code
  } finally {
    await watch?.stop()
  }
}

const told = async (call: Call<object, ReadonlyArray<unknown>>, bus: Bus, conn: string, answer: TriggerAnswer): Promise<ExitCode> => {
  switch (answer.answer) {
    case 'accepted':
    case 'queued':
      call.say(answer.message)
      call.json({ connection: conn, ...answer, result: null })
      return exitCodes.ok
    case 'unknown':
      return call.refuse(await unknown(bus, conn))
    case 'already-running':
      return call.refuse(refusal(exitCodes.busy, answer.message, `wait for it: syncline sync ${conn} --wait`))
    case 'paused':
      return call.refuse(refusal(exitCodes.busy, answer.message, `resume it first: syncline resume ${conn}`))
    case 'invalid':
      return call.refuse(refusal(exitCodes.usage, answer.message))
    case 'unavailable':
      return call.refuse(refusal(exitCodes.failed, answer.message, '`syncline doctor` looks at what is wrong'))
  }
}

const awaited = async (call: Call<object, ReadonlyArray<unknown>>, conn: ConnectionId, answer: TriggerAnswer, run: string, watch: RunWatch, timeoutMs: number | undefined): Promise<ExitCode | 'no sync'> => {
  const { io, clock } = call
  const line = progressLine(io, clock, call.options.quiet !== true && call.options.json !== true)
  const ended: Ended = await watch.until(run, { timeoutMs, interrupted: io.interrupted, onProgress: line.draw })
  line.clear()
  switch (ended.is) {
    case 'ended':
      if (answer.answer === 'already-running' && (ended.result.asked?.what === 'reset' || ended.result.asked?.what === 'undo')) return 'no sync'
      for (const text of resultLines(ended.result, painter(io))) call.say(text)
      call.json({ connection: conn, ...answer, result: ended.result })
      return exitOf(ended.result.outcome)
    case 'timed-out':
      call.json({ connection: conn, ...answer, result: null })
      call.note(`syncline: run ${run} has not ended yet; it goes on: syncline status ${conn}`)
      return exitCodes.timedOut
    case 'interrupted':
      call.note(`syncline: run ${run} goes on: syncline status ${conn} shows it, syncline cancel ${conn} ends it`)
      return exitCodes.interrupted
  }
}
