/** Knows which progress of a run is worth a mark in the status. Does not know how runs end. */
import type { Progress } from '#libs/contracts/progress.ts'
import type { Status } from '#libs/contracts/status.ts'
import type { RunState } from '#libs/domain/states.ts'
import { settled, unheardOf } from './state-of.ts'

/** A run shorter than this leaves no `running` mark: the quiet runs of a million connections cost nothing here. */
const worthTellingMs = 1_000
/** Between two marks of one run in one state: up to four messages per second arrive, one write is enough. */
const betweenMarksMs = 1_000

/** Answers the very same status when there is nothing to write. */
export const foldProgress = (known: Status | undefined, progress: Progress, paused: boolean): Status => {
  const before = known ?? unheardOf(progress.conn)
  const { lastRun: last, running } = before
  const isOver = last !== undefined && (last.run === progress.run || progress.startedAt <= last.startedAt)
  if (isOver) return before
  const shown = running?.run === progress.run ? running : undefined
  if (shown === undefined && progress.state === 'in-progress' && progress.at - progress.startedAt <= worthTellingMs) return before
  const state = runStateOf(progress)
  const since = progress.at - (shown?.progress?.at ?? -Infinity)
  if (since < 0 || (shown?.state === state && since < betweenMarksMs)) return before
  const mark = { run: progress.run, state, since: progress.startedAt, progress }
  const next = progress.nextAttemptAt === undefined ? mark : { ...mark, nextAttemptAt: progress.nextAttemptAt }
  return settled({ ...before, running: next, updatedAt: progress.at }, paused)
}

const runStateOf = (progress: Progress): RunState => (progress.state === 'deferred' ? 'queued' : progress.state)
