/**
 * PURE: what becomes of ticks, requests and questions: the work item they turn into, and the answer where a connection
 * is queued or running already (NATS.md §6.3, DESIGN §13). Does not publish anything.
 */
import type { SyncRequest } from '#libs/contracts/request.ts'
import type { Status } from '#libs/contracts/status.ts'
import { messageIds } from '#libs/contracts/subjects.ts'
import type { OperatorQuestion, TriggerAnswer, TriggerQuestion } from '#libs/contracts/trigger.ts'
import type { OperatorWish, WorkItem } from '#libs/contracts/work-item.ts'
import type { RunId } from '#libs/domain/ids.ts'
import type { Saying, Watched } from './due.ts'

/** A request out of the mailbox, decoded. Times in ms since the epoch. */
export type Heard = { readonly seq: number; readonly storedAt: number; readonly deliveries: number; readonly request: SyncRequest; readonly notBefore: number | undefined }

export type Admission = { readonly is: 'run' } | { readonly is: 'later'; readonly ms: number } | { readonly is: 'paused' } | { readonly is: 'unknown' }

/** Made by the caller: a run id for work without one, and an unguessable token. */
export type Minted = { readonly run: RunId; readonly token: string; readonly now: number }

export type Work = { readonly item: WorkItem; readonly msgId: string }

/** A pause, a deletion or a change of mind during a long wait is noticed at least once a day. */
const longestHoldMs = 24 * 60 * 60_000
/** Reasons come from outside; what is told on in headers, logs and history stays small. */
const longestReason = 500
/** Started this long after the request was stored, by another machine's clock, a run surely read what the asker saw. */
const clockSkewMs = 5_000

export const admitRequest = (watched: Watched | undefined, heard: Heard, now: number): Admission => {
  if (watched === undefined) return { is: 'unknown' }
  if (watched.paused) return { is: 'paused' }
  const waitMs = (heard.notBefore ?? now) - now
  return waitMs > 0 ? { is: 'later', ms: Math.min(waitMs, longestHoldMs) } : { is: 'run' }
}

/** undefined = none asked for; null = the text is not a time. */
export const notBeforeOf = ({ notBefore }: SyncRequest): number | undefined | null => {
  if (typeof notBefore !== 'string') return notBefore
  const isTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(notBefore)
  const at = isTime ? Date.parse(notBefore) : Number.NaN
  return Number.isNaN(at) ? null : at
}

export const workOfSaying = (saying: Exclude<Saying, { say: 'skip' }>, { run, token, now }: Minted): Work => {
  const { conn, lane, revision } = saying.watched
  const item = { conn, run, trigger: token, lane, revision, askedAt: now }
  return saying.say === 'tick'
    ? { item: { ...item, cause: 'tick', slot: saying.slot }, msgId: messageIds.tick(conn, saying.slot) }
    : { item: { ...item, cause: 'first' }, msgId: messageIds.first(conn, revision) } // of the document: two replicas say it once
}

/** Only what a stranger may ask for is taken over from the request (SYNC.md §S14). */
export const workOfRequest = ({ conn, lane, revision }: Watched, { seq, request }: Heard, { run, token, now }: Minted): Work => ({
  item: {
    conn, run: request.run ?? run, trigger: token, cause: request.cause ?? 'manual', lane, revision, askedAt: now, requestSeq: seq,
    ...wishes(request), ...(request.redriveOf === undefined ? {} : { redriveOf: request.redriveOf }),
  },
  msgId: messageIds.requested(seq),
})

export const workOfQuestion = ({ conn, lane, revision }: Watched, question: OperatorQuestion, { run, token, now }: Minted): Work => ({
  item: {
    conn, run, trigger: token, cause: 'manual', lane, revision, askedAt: now, ...wishes(question),
    ...(question.approve === undefined ? {} : { approved: question.approve }), ...operatorWish(question),
  },
  msgId: token,
})

/** What only an operator may ask: it never waits among requests, which anybody may write. */
export const isOperators = (question: OperatorQuestion): boolean => wishesOf(question) > 0

/** How many of them are asked for at once. */
export const wishesOf = ({ approve, restore, reset, undo }: OperatorQuestion): number => [approve, restore, reset, undo].filter((wish) => wish !== undefined).length

/** Nothing of the two sides is read or written by it, so that a pause need not stand in its way. */
export const leavesSidesAlone = ({ reset }: OperatorQuestion): boolean => reset !== undefined

const operatorWish = ({ restore, reset, flow, undo, by }: OperatorQuestion): OperatorWish => ({
  ...(restore === undefined ? {} : { restore }),
  ...(reset === undefined ? {} : { reset }),
  ...(flow === undefined ? {} : { flow }),
  ...(undo === undefined ? {} : { undo }),
  ...(by === undefined ? {} : { by: by.slice(0, longestReason) }),
})

/** The same wish as a durable request, for a connection that is busy now. */
export const requestOfQuestion = (question: TriggerQuestion, run: RunId): SyncRequest => ({ run, cause: 'manual', ...wishes(question) })

const wishes = ({ mode, dryRun, reason }: TriggerQuestion | SyncRequest) => ({
  ...(mode === undefined ? {} : { mode }),
  ...(dryRun === undefined ? {} : { dryRun }),
  ...(reason === undefined ? {} : { reason: reason.slice(0, longestReason) }),
})

/**
 * The subject is taken, perhaps by a run that has already read past the asker's change. The run that serves a request
 * began after it and did its work; a request with wishes of its own, or one that somebody follows, waits for its own run.
 */
export const servedBy = ({ request, storedAt }: Heard, status: Status | undefined): string | undefined => {
  const isFollowed = request.run !== undefined && request.cause !== 'deferral'
  const isPlain = request.mode !== 'full' && request.dryRun !== true && request.redriveOf === undefined && !isFollowed
  const last = status?.lastRun
  if (!isPlain || last === undefined || last.startedAt <= storedAt + clockSkewMs) return undefined
  return last.outcome === 'succeeded' || last.outcome === 'partial' ? last.run : undefined
}

/** 1 s at first, then up to 5 s: somebody may be waiting, but not on one run of minutes (NATS.md §6.3). */
export const keepMs = ({ deliveries }: Heard): number => Math.min(5_000, 1_000 * Math.max(1, deliveries))

export const answerBusy = ({ conn }: Watched, queued: WorkItem | undefined, status: Status | undefined): TriggerAnswer => {
  const running = status?.running
  const isThisRun = running !== undefined && (queued === undefined || running.run === queued.run)
  const run = queued?.run ?? running?.run
  const state = isThisRun ? running.state : 'queued'
  const nextAttemptAt = isThisRun ? (running.nextAttemptAt ?? running.progress?.nextAttemptAt) : undefined
  const next = nextAttemptAt === undefined ? '' : `, next attempt at ${new Date(nextAttemptAt).toISOString()}`
  return {
    answer: 'already-running', code: 409, state,
    message: `${conn} is already ${state === 'queued' ? 'queued' : 'running'}${run === undefined ? '' : ` (run ${run}, ${state}${next})`}`,
    ...(run === undefined ? {} : { run }),
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
  }
}
