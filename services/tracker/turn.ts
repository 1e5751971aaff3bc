/** Knows what several things heard of one connection, in their order, come to. Does not know where it is kept. */
import type { Alert } from '#libs/contracts/alert.ts'
import type { Progress } from '#libs/contracts/progress.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { Status } from '#libs/contracts/status.ts'
import { foldResult } from './fold.ts'
import type { Standing } from './fold.ts'
import { foldProgress } from './fold-progress.ts'
import { foldPaused } from './state-of.ts'

export type Task =
  | { readonly is: 'result'; readonly result: RunResult }
  | { readonly is: 'progress'; readonly progress: Progress }
  /** The connection's document changed: the paused flag may have. */
  | { readonly is: 'document' }

export type Heard = { readonly result: RunResult; readonly standing: Standing }

export type Turn = { readonly status: Status | undefined; readonly heard: ReadonlyArray<Heard>; readonly alerts: ReadonlyArray<Alert> }

export const foldTurn = (known: Status | undefined, tasks: ReadonlyArray<Task>, paused: boolean): Turn => {
  const heard: Array<Heard> = []
  const alerts: Array<Alert> = []
  let status = known
  for (const task of tasks) {
    switch (task.is) {
      case 'result': {
        const folded = foldResult(status, task.result, paused)
        alerts.push(...alertsOf(task.result, folded.standing, folded.regress, folded.status))
        heard.push({ result: task.result, standing: folded.standing })
        status = folded.status
        break
      }
      case 'progress': {
        const folded = foldProgress(status, task.progress, paused)
        if (status !== undefined || folded.updatedAt > 0) status = folded
        break
      }
      case 'document':
        if (status !== undefined) status = foldPaused(status, paused)
    }
  }
  return { status, heard, alerts }
}

const alertsOf = (result: RunResult, standing: Standing, regress: boolean, status: Status): ReadonlyArray<Alert> => {
  if (standing !== 'new') return []
  const about = { conn: result.conn, run: result.run, at: result.finishedAt }
  const alerts: Array<Alert> = []
  if (regress) alerts.push({ ...about, kind: 'fence-regress', message: status.lastRun?.error ?? 'the lease store went back in time' })
  if (result.outcome === 'held' && status.held !== undefined) {
    alerts.push({ ...about, kind: 'held', message: `flow ${status.held.flow} is held by ${status.held.by} (plan ${status.held.plan})` })
  }
  return alerts
}
