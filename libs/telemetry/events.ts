/**
 * Knows every name under which Syncline can be watched: spans, metrics and log events, each with a line of meaning.
 * docs/telemetry.md lists the same; a test holds both to the code. Does not know what they may carry: facts.ts does.
 */

/** One trace per sync: the tick or request is the root, everything else hangs below it by `traceparent`. */
export const spans = {
  'sync.tick': 'scheduler: a slot fell due; its work item was published, or was refused as queued or running already',
  'sync.request': 'scheduler: a wish from SYNC_REQUESTS was admitted, kept for later or turned down',
  'sync.trigger': 'scheduler: a question on sync.trigger.<conn> was answered',
  'sync.run': 'sync-worker: one attempt of a work item, from delivery to acknowledgement',
  'sync.acquire': 'sync-worker: taking the lease of the connection',
  'sync.flow': 'sync-worker: one flow of the run, in its order',
  'sync.read': 'sync-worker: reading changes of one side, and fetching what they only mention',
  'sync.plan': 'sync-worker: classifying what was read, planning and guarding the plan',
  'sync.resolve': 'sync-worker: asking the conflict-resolver and waiting for its answer',
  'sync.archive': 'sync-worker: keeping the versions that are about to be overwritten or deleted',
  'sync.write': 'sync-worker: writes to one side, with preconditions',
  'sync.commit': 'sync-worker: links and checkpoint made durable under the fence',
  'sync.report': 'sync-worker: publishing the result of the run',
  'sync.release': 'sync-worker: giving the lease back',
  'sync.defer': 'sync-worker: handing the work back as a request with a time, without using up an attempt',
  'sync.dead-letter': 'sync-worker or tracker: writing a work item given up on to sync.dead.<conn>',
  'sync.cancel': 'sync-worker: a question on sync.control.<conn> was answered',
  'resolver.resolve': 'conflict-resolver: one question, decided',
  'tracker.record': 'tracker: a result folded into status, statistics and history',
  'tracker.join': 'tracker: an advisory joined with its message body to a dead letter',
  'tracker.answer': 'tracker: a question on sync.api.> or over HTTP was answered',
} as const
export type SpanName = keyof typeof spans

/** Counters, then histograms (seconds). Labels are few-valued: never a connection, a run or an item. */
export const counters = {
  'syncline.runs': 'runs that ended; labels outcome, cause, lane',
  'syncline.items': 'items by what became of them; labels action, kind',
  'syncline.slots': 'slots by what became of them; labels outcome, reason',
  'syncline.requests': 'requests by what became of them; labels outcome',
  'syncline.lease.lost': 'runs that lost their lease or were fenced',
  'syncline.deferrals': 'runs handed back for later; labels reason',
  'syncline.retries': 'attempts that failed and will be tried again; labels reason',
  'syncline.dead_letters': 'work items given up on; labels reason',
  'syncline.parked': 'records set aside; labels kind',
  'syncline.conflicts': 'conflicts decided; labels strategy, take, kind',
  'syncline.bad_messages': 'messages that could not be decoded; labels schema',
} as const
export type CounterName = keyof typeof counters

export const histograms = {
  'syncline.run.duration': 'seconds from the start of a run to its end; labels outcome, lane',
  'syncline.flow.duration': 'seconds a flow took; labels outcome, phase',
  'syncline.slot.lateness': 'seconds between the nominal time of a slot and its publication',
  'syncline.resolve.duration': 'seconds the resolver took for one question; labels strategy',
  'syncline.event_loop.lag': 'seconds the event loop was blocked; above 2 s leases are in danger (SYNC.md §C.1)',
} as const
export type HistogramName = keyof typeof histograms

/** The only labels a metric may have. */
export const labels = ['outcome', 'cause', 'lane', 'action', 'kind', 'reason', 'strategy', 'take', 'phase', 'schema', 'provider'] as const
export type LabelName = (typeof labels)[number]

/** Names of log lines. */
export const logEvents = {
  'process.ready': 'every service of the process has started',
  'process.stopped': 'everything has drained',
  'process.stop-timed-out': 'draining took too long; what is left is ended at once',
  'process.stop-cut-short': 'a second signal or a broken connection ended the draining',
  'process.broken': 'the process cannot go on',
  'process.already-running': 'the process was asked to run twice; the second call joins the first',
  'nats.failed': 'something NATS refused or broke outside any answer',
  'service.starting': 'a service connects and gets ready',
  'service.started': 'a service hears its subjects',
  'service.stopping': 'a service takes no new work and finishes what is in hand',
  'service.stopped': 'a service has ended',
  'service.failed': 'a service could not start or fell over',
  'actor.threw': 'a bug in an actor: the message comes again later',
  'actor.told-in-vain': 'what an actor told itself was not done',
  'timer.delayed': 'a timed turn could not be done now; it is tried again',
  'timer.threw': 'a bug in a timed turn: the timer goes on',
  'telemetry.started': 'traces or metrics are exported',
  'telemetry.failed': 'exporting traces or metrics failed; said at most once per five minutes',
  'message.bad': 'a message could not be decoded; it is answered or dead-lettered with the report',
  'slot.coalesced': 'a slot found its connection queued or running and is served by that run',
  'request.kept': 'a request waits for the run under way to end, or for its time',
  'request.put-off': 'a request goes back to its mailbox for a while',
  'request.dead': 'a request that cannot be read, or asks for the impossible, became a dead letter',
  'trigger.answered': 'a question on sync.trigger.<conn> was answered',
  'schedule.mistaken': 'the schedule of a connection means nothing; it waits for a better document',
  'clock.went-back': 'the wall clock stands before slots that were said; they are said again under the same ids',
  'clock.behind-watermark': 'the stored watermark lies ahead of the wall clock; the own clock is followed',
  'run.ended': 'a run ended with a result; quiet runs are said at debug level',
  'run.retrying': 'an attempt failed; the work item is delivered again after the delay',
  'run.deferred': 'a run was handed back for later without using up an attempt',
  'work.over': 'a work item was delivered again although it was settled already; nothing was done',
  'run.fenced': 'another worker holds the lease: this one dropped everything',
  'run.bug': 'a fault of ours ended a flow',
  'connections.watch-failed': 'following the connection documents broke; it is tried again',
  'tracker.later': 'a result or advisory could not be recorded now; it comes again',
  'tracker.buried': 'a work item whose worker died became a dead letter, or was found to have one',
  'tracker.letter-missing': 'a work item is gone and no dead letter holds it',
  'tracker.alert': 'something a person should see; it is also said on sync.alert.<conn>',
  'tracker.nats': 'something NATS refused or broke outside any answer',
  'tracker.http': 'an answer over HTTP broke on our side',
  'tracker.swept': 'the round for lost advisories found work items given up on, or ones it cannot tell',
  'tracker.sweep-failed': 'the round for lost advisories could not look; the next one will',
  'lease.unchecked': 'whether the leases went back in time could not be looked up; the run goes on, the next one asks again',
  'lease.renewal-crashed': 'a bug while renewing a lease: the run ends before the lease does',
  'resolver.refused': 'a question to the resolver was refused; the asker got the reason',
  'resolver.failed': 'answering broke on our side, or NATS took the endpoint away',
  'resolver.decided': 'a question to the resolver was answered',
} as const
