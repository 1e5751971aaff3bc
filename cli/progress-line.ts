/** Knows the one line that is drawn over and over while a run goes on; on a terminal only. */
import type { Clock } from '#libs/clock.ts'
import type { Progress } from '#libs/contracts/progress.ts'
import type { Io } from './io.ts'
import { countsText, cut, spanText } from './render.ts'

export type ProgressLine = { readonly draw: (progress: Progress) => void; readonly clear: () => void }

const clearLine = '\r\u001b[2K'

export const progressLine = (io: Pick<Io, 'isTty' | 'stderr' | 'columns'>, clock: Pick<Clock, 'now'>, isWanted: boolean): ProgressLine => {
  if (!io.isTty || !isWanted) return { draw: () => undefined, clear: () => undefined }
  let isDrawn = false
  return {
    draw: (progress) => {
      isDrawn = true
      io.stderr(`${clearLine}${cut(progressText(progress, clock.now()), (io.columns ?? 80) - 1)}`)
    },
    clear: () => {
      if (isDrawn) io.stderr(clearLine)
      isDrawn = false
    },
  }
}

export const progressText = ({ conn, state, attempt, flow, step, counts, startedAt, nextAttemptAt, error }: Progress, now: number): string => {
  const waiting = nextAttemptAt === undefined ? '' : `, next attempt in ${spanText(nextAttemptAt - now)}`
  const what = state === 'in-progress' ? [step, flow === 'main' ? undefined : flow].filter((word) => word !== undefined).join(' ') : state
  const numbers = counts === undefined ? '' : `: ${countsText(counts)}`
  return `${conn}: ${what === '' ? 'running' : what} ${spanText(now - startedAt)}${attempt > 1 ? `, attempt ${attempt}` : ''}${waiting}${numbers}${error === undefined ? '' : ` (${error})`}`
}
