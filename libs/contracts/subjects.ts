/** Knows every subject, stream, bucket, key and durable name. No other file spells one. */
import type { ConnectionId, FlowId } from '../domain/ids.ts'
import type { Outcome } from '../domain/states.ts'

export type Lane = 'hot' | 'cold'

export const subjects = {
  request: (conn: ConnectionId) => `sync.request.${conn}`,
  requests: 'sync.request.*',
  trigger: (conn: string) => `sync.trigger.${conn}`,
  triggers: 'sync.trigger.*',
  operate: (conn: string) => `sync.operate.${conn}`,
  operations: 'sync.operate.*',
  work: (lane: Lane, conn: ConnectionId) => `sync.work.${lane}.${conn}`,
  works: (lane: Lane) => `sync.work.${lane}.*`,
  result: (conn: ConnectionId, outcome: Outcome) => `sync.result.${conn}.${outcome}`,
  results: 'sync.result.>',
  resultsOf: (conn: ConnectionId) => `sync.result.${conn}.*`,
  dead: (conn: string) => `sync.dead.${conn}`,
  deads: 'sync.dead.*',
  archive: (conn: ConnectionId, flow: FlowId, linkKey: string) => `sync.archive.${conn}.${flow}.${linkKey}`,
  archiveOf: (conn: ConnectionId) => `sync.archive.${conn}.>`,
  /** Versions of all items and flows; not what `created` notes. */
  archivedOf: (conn: ConnectionId) => `sync.archive.${conn}.*.*`,
  archivedPart: (conn: ConnectionId, flow: FlowId, linkKey: string) => `sync.archive.${conn}.${flow}.part.${linkKey}`,
  created: (conn: ConnectionId, flow: FlowId, side: string) => `sync.archive.${conn}.${flow}.created.${side}`,
  archives: 'sync.archive.>',
  audit: (conn: string) => `sync.audit.${conn}`,
  audits: 'sync.audit.*',
  progress: (conn: ConnectionId) => `sync.progress.${conn}`,
  progresses: 'sync.progress.*',
  control: (conn: ConnectionId) => `sync.control.${conn}`,
  controls: 'sync.control.*',
  resolve: (strategy: string) => `sync.resolve.${strategy}`,
  resolves: 'sync.resolve.*',
  /** Endpoints of the tracker: `sync.api.<verb>[.<conn>]`. */
  api: (verb: string, conn?: string) => (conn === undefined ? `sync.api.${verb}` : `sync.api.${verb}.${conn}`),
  apis: 'sync.api.>',
  alert: (conn: string) => `sync.alert.${conn}`,
  advisories: {
    maxDeliveries: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.SYNC_WORK.>',
    terminated: '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.SYNC_WORK.>',
  },
} as const

export const streams = {
  requests: 'SYNC_REQUESTS',
  work: 'SYNC_WORK',
  results: 'SYNC_RESULTS',
  dead: 'SYNC_DEAD',
  advisories: 'SYNC_ADVISORIES',
  archive: 'SYNC_ARCHIVE',
  audit: 'SYNC_AUDIT',
} as const

export const durables = {
  mailbox: 'scheduler',
  work: (lane: Lane) => `worker-${lane}`,
  results: 'tracker',
  dead: 'tracker-dead',
  advisories: 'tracker-advisories',
} as const

export const buckets = {
  connections: 'sync_connections',
  state: 'sync_state',
  status: 'sync_status',
  stats: 'sync_stats',
  history: 'sync_history',
  scheduler: 'sync_scheduler',
  providers: 'sync_providers',
  provenance: 'sync_provenance',
  secrets: 'sync_secrets',
} as const

/** Keys inside `sync_state`. */
export const stateKeys = {
  lease: (conn: ConnectionId) => `lease.${conn}`,
  checkpoint: (conn: ConnectionId, flow: FlowId) => `ckpt.${conn}.${flow}`,
  checkpoints: 'ckpt.>',
  page: (conn: ConnectionId, flow: FlowId, n: number) => `page.${conn}.${flow}.${n}`,
} as const

/** Deduplication ids; predictable only where no outsider may publish to the stream (NATS.md §4.1). */
export const messageIds = {
  tick: (conn: ConnectionId, slot: number) => `${conn}@${slot}`,
  first: (conn: ConnectionId, revision: number) => `${conn}@first-${revision}`,
  requested: (requestSeq: number) => `req:${requestSeq}`,
  deferral: (trigger: string) => `defer:${trigger}`,
  result: (run: string) => run,
  dead: (stream: string, seq: number) => `dlq:${stream}:${seq}`,
  parked: (run: string, flow: string, linkKey: string) => `parked:${run}:${flow}:${linkKey}`,
  created: (run: string, flow: string, linkKey: string, side: string) => `new:${run}:${flow}:${linkKey}:${side}`,
  /** By a token that only those know who may read the letter (NATS.md §4.1). */
  redrive: (seq: number, token: string) => `redrive:${seq}:${token}`,
  /** Of one run: a repetition of the same step is the same record. */
  audit: (act: string, run: string, digest: string) => `audit:${act}:${run}:${digest}`,
  edited: (seq: number) => `edit:${seq}`,
  /** By its content too: within one run an item may be edited by others between two rounds or attempts, and each version counts. */
  archived: (run: string, flow: string, linkKey: string, side: string, digest: string) => `arc:${run}:${flow}:${linkKey}:${side}:${digest}`,
  archivedPart: (version: string, n: number) => `${version}:${n}`,
} as const

export const headerNames = { schema: 'Syncline-Schema', traceparent: 'traceparent', msgId: 'Nats-Msg-Id' } as const

/** Asked by an operator, not by just anybody. */
export const isOperation = (subject: string): boolean => subject.startsWith('sync.operate.')

/** The connection a subject speaks of, for subjects whose third (work: fourth) token is the connection. */
export const connectionInSubject = (subject: string): string => {
  const tokens = subject.split('.')
  return tokens[1] === 'work' ? (tokens[3] ?? '') : (tokens[2] ?? '')
}
