/**
 * Knows the history of one chaos run: what its recorder writes and its checker reads, one JSON object a line, in the order of
 * recording (not quite of time: sort by `at` where time matters). Does not know who records or what must hold.
 *
 * `at` is ms of the machine's monotonic clock (`monotonic()`), the same in every process of one machine.
 * Side A is the flow's source, B its destination, also when the flow is two-way. A key names one item of one connection, the
 * same on both sides. A value is unique: `w<client>-<n>` of one client op, or `seed-<n>` of what was there at the start; it
 * stands in one field of the item, so that what survives tells the op it came from.
 */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type SideName = 'A' | 'B'
export type SystemKind = 'folder' | 'jsonl' | 'postgres' | 'sandbox'

/** First record of a history. `wallAt`: ms since the epoch of the recorder's wall clock at `at`. */
export type Begin = { readonly is: 'begin'; readonly at: number; readonly wallAt: number; readonly seed: number; readonly minutes: number; readonly leaseTtlMs: number; readonly workers: ReadonlyArray<string> }

/** One for each flow under test, before anything happens to it. Each connection has one flow. */
export type Paired = {
  readonly is: 'connection'
  readonly at: number
  readonly conn: string
  readonly flow: string
  readonly direction: 'two-way' | 'one-way'
  readonly strategy: string
  /** `strong`: writes of the engine to it carry a precondition (I7); a transactional PostgreSQL destination commits with its ledger. */
  readonly A: { readonly kind: SystemKind; readonly strong: boolean; readonly transactional: boolean }
  readonly B: { readonly kind: SystemKind; readonly strong: boolean; readonly transactional: boolean }
}

/**
 * A client changed an item, past all proxies. `value` null: deleted. `unknown`: it may have happened or not. `from`, `to`: the
 * op happened at one instant between them. `before`: the value the client saw there, null when there was none; undefined when
 * it did not look. `create` met no item, `update` and `delete` met one.
 */
export type Op = {
  readonly is: 'op'
  readonly at: number
  readonly to: number
  readonly conn: string
  readonly side: SideName
  readonly key: string
  readonly kind: 'create' | 'update' | 'delete'
  readonly value: string | null
  readonly before?: string | null
  readonly result: 'ok' | 'fail' | 'unknown'
}

/**
 * A request of the engine at an outside system. `by` says who saw it: `provider` (the sandbox's own log, in order of arrival),
 * `audit` (a trigger inside PostgreSQL, so it was committed: `status` 200), `folder` (what a folder showed before and after a
 * span of time in which no client wrote: a write by the engine, `verb` from the difference), or `connector` (the call
 * between engine and connector, inside the worker: the only one that sees a file's precondition).
 * `status`: HTTP status; 0 = the answer was lost after the request took effect or was cut before it (see `applied`).
 */
export type Remote = {
  readonly is: 'remote'
  readonly at: number
  readonly by: 'provider' | 'audit' | 'folder' | 'connector'
  readonly conn: string
  readonly side: SideName
  readonly verb: 'GET' | 'LIST' | 'DELTA' | 'CREATE' | 'UPDATE' | 'DELETE'
  readonly key?: string
  readonly remoteId?: string
  readonly value?: string | null
  /** Value the write replaced or deleted, where the system can tell. */
  readonly was?: string | null
  /** If-Match, `*` of If-None-Match, expected version; null: a write without any. */
  readonly precondition?: string | null
  readonly status: number
  /** Whether it changed what the system holds. */
  readonly applied: boolean
  readonly worker?: string
  readonly fence?: number
  /** For LIST and DELTA: the cursor asked from and the one answered, and whether it was the last page. */
  readonly cursor?: string | null
  readonly answered?: { readonly cursor: string | null; readonly last: boolean; readonly count: number }
  /** What the sandbox did on purpose: 429, empty-200, truncated… */
  readonly mischief?: string
  /** Retry-After it sent, in ms. */
  readonly retryAfterMs?: number
}

/**
 * One message of the stream behind KV `sync_state`, in stream order (`seq`), the overwritten ones too. `storedAt`: wall clock of
 * the server, ms. `headers` as stored. `value` null: a marker or delete. For a lease its entry, for a checkpoint its fence (field
 * `E`) and cursors, for a page the number of its links.
 */
export type Publish = {
  readonly is: 'publish'
  readonly at: number
  readonly storedAt: number
  readonly seq: number
  readonly conn: string
  readonly record: 'lease' | 'checkpoint' | 'page'
  /** The key in the bucket. */
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly lease?: { readonly owner: string; readonly nonce: string; readonly run: string; readonly n: number; readonly free: boolean }
  readonly checkpoint?: { readonly fence: number; readonly run: string; readonly phase: string; readonly cursorA: string | null; readonly cursorB: string | null; readonly raw: unknown }
  readonly page?: { readonly links: number }
  readonly deleted: boolean
}

/** One change of a sidecar row of a PostgreSQL destination, seen by a trigger there; in order of commit per flow (`order`). */
export type Sidecar = { readonly is: 'sidecar'; readonly at: number; readonly order: number; readonly conn: string; readonly flow: string; readonly fence: number; readonly before: number | null; readonly cursor: string | null; readonly raw: unknown }

/** Somebody holds the lease of a connection: from the acquisition (`fence`) to the message that ends it. From the stream. */
export type LeaseHeld = { readonly is: 'lease'; readonly at: number; readonly conn: string; readonly owner: string; readonly nonce: string; readonly run: string; readonly fence: number; readonly fromStoredAt: number; readonly toStoredAt: number | null; readonly endedBy: 'release' | 'take-over' | 'expiry' | 'open' }

/** One step of the schedule; `id` joins begin and end. `target`: worker name, account or proxy it was done to. */
export type Nemesis = { readonly is: 'nemesis'; readonly at: number; readonly id: number; readonly edge: 'begin' | 'end'; readonly what: string; readonly target: string; readonly detail?: unknown }

/**
 * Where the run is: `load` (clients and nemeses), `heal` (all faults ended, no clients any more), `converged` (asked rounds went
 * silent), `silence` (`round` 1 and 2: what the engine writes from here on breaks I4), `end`.
 */
export type Phase = { readonly is: 'phase'; readonly at: number; readonly phase: 'load' | 'heal' | 'converged' | 'silence' | 'end'; readonly round?: number }

/** A request the rig made for a connection: `seq` in SYNC_REQUESTS; `result`: whether the server took it. */
export type Trigger = { readonly is: 'trigger'; readonly at: number; readonly conn: string; readonly result: 'ok' | 'fail' | 'unknown'; readonly seq?: number; readonly duplicate?: boolean }

/** One work item that SYNC_WORK took, redelivered or not; `run` belongs to it for good. */
export type Admitted = { readonly is: 'admitted'; readonly at: number; readonly storedAt: number; readonly seq: number; readonly conn: string; readonly run: string; readonly cause: string; readonly raw: unknown }

/** One message of SYNC_RESULTS. `raw` is the decoded contract (libs/contracts/result.ts). */
export type Result = { readonly is: 'result'; readonly at: number; readonly storedAt: number; readonly seq: number; readonly conn: string; readonly run: string; readonly outcome: string; readonly raw: unknown }

/** One message of SYNC_DEAD (a whole work item, or one parked record); `raw` is the decoded contract (libs/contracts/dead-letter.ts). */
export type Dead = { readonly is: 'dead'; readonly at: number; readonly storedAt: number; readonly seq: number; readonly conn: string; readonly msgId: string; readonly raw: unknown }

/** Poison that the rig planted on purpose, so that the dead letters can be counted. */
export type Poison = { readonly is: 'poison'; readonly at: number; readonly conn: string; readonly key?: string; readonly what: string }

/** One version kept in SYNC_ARCHIVE. */
export type Archived = { readonly is: 'archived'; readonly at: number; readonly storedAt: number; readonly seq: number; readonly conn: string; readonly flow: string; readonly linkKey: string; readonly value: string | null; readonly raw: unknown }

/** A line of a service's log that tells of leases, guards, holds, parked items and failures; `event` from libs/telemetry/events.ts; `text`: it was no log line. */
export type Logged = { readonly is: 'log'; readonly at: number; readonly process: string; readonly event: string; readonly level: string; readonly raw: Readonly<Record<string, unknown>> }

/** A process of the system under test began or ended. `gone`: by itself, which only `stop` and nemeses may cause. */
export type Lived = { readonly is: 'process'; readonly at: number; readonly process: string; readonly edge: 'started' | 'killed' | 'gone'; readonly pid: number; readonly code?: number | null }

/** Memory of a process, from /proc. */
export type Memory = { readonly is: 'memory'; readonly at: number; readonly process: string; readonly rssBytes: number }

/** One item that stands on a side in the end. Twice the same key on one side: two records. `value` null: it holds none. */
export type Final = { readonly is: 'final'; readonly at: number; readonly conn: string; readonly side: SideName; readonly key: string; readonly remoteId: string; readonly value: string | null }

/** One link of the ledger in the end (from KV pages or the sidecar). */
export type FinalLink = { readonly is: 'final-link'; readonly at: number; readonly conn: string; readonly flow: string; readonly linkKey: string; readonly state: string; readonly raw: unknown }

/** What is left in the queues in the end, and the size of each bucket and stream. */
export type FinalStream = { readonly is: 'final-stream'; readonly at: number; readonly stream: string; readonly messages: number; readonly bytes: number; readonly subjects: ReadonlyArray<string> }

/** Everything of the kind above was written down; without it an absent `final` proves nothing. */
export type FinalDone = { readonly is: 'final-done'; readonly at: number; readonly conn: string; readonly side: SideName; readonly items: number }

/** A state of a connection in the end, as the tracker tells it (KV `sync_status`). */
export type FinalStatus = { readonly is: 'final-status'; readonly at: number; readonly conn: string; readonly state: string; readonly raw: unknown }

export type HistoryRecord =
  | Begin | Paired | Op | Remote | Publish | Sidecar | LeaseHeld | Nemesis | Phase | Trigger | Admitted | Result | Dead | Poison | Archived
  | Logged | Lived | Memory | Final | FinalLink | FinalStream | FinalDone | FinalStatus

export type History = ReadonlyArray<HistoryRecord>

/** ms of the machine's monotonic clock, comparable between processes of one machine. */
export const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

export type Recorder = { readonly file: string; readonly write: (record: HistoryRecord) => void }

/** Appends at once: what was recorded survives the death of the recorder. Several processes may append to one file. */
export const recorder = (file: string): Recorder => {
  mkdirSync(dirname(file), { recursive: true })
  return { file, write: (record) => appendFileSync(file, `${JSON.stringify(record)}\n`) }
}

/** All records of these files, by `at`. A last line that was cut off by a kill is left out; any other bad line is an error. */
export const readHistory = (...files: ReadonlyArray<string>): History =>
  files
    .flatMap((file) => {
      const lines = readFileSync(file, 'utf8').split('\n')
      return lines.slice(0, -1).map((line) => JSON.parse(line) as HistoryRecord)
    })
    .sort((a, b) => a.at - b.at)
