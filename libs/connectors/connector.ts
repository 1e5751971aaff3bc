/**
 * Knows what the engine asks of an outside system. Does not know NATS, leases or plans.
 *
 * Terminology
 * - item: one contact, event series, row… in canonical form (`Item` of libs/domain/record.ts); `remoteId` is the side's
 *   own handle, `key` the identity the two sides are matched by.
 * - version: opaque text that changes when the item changes ("look"); the hash of the fields decides ("changed").
 * - cursor: opaque text; "everything up to here was read". Never parsed outside the connector that made it.
 * - listing: a complete enumeration; absence from it means something. delta: only what changed; absence means nothing.
 * - precondition: `expect` on an update or delete; the write happens only if the item still has that version.
 *
 * The laws every connector keeps are in test/laws/connector.laws.ts.
 */
import type { E, TE } from '../fp.ts'
import type { Checkpoint } from '../domain/checkpoint.ts'
import type { SyncFailure } from '../domain/failure.ts'
import type { Link } from '../domain/link.ts'
import type { Fields, Item, RecordKind } from '../domain/record.ts'
import type { Limits } from '../resilience/rate-headers.ts'
import type { RowBatch, TransactionalLoad } from './row-batch.ts'

export type Capabilities = {
  readonly canWrite: boolean
  /** `read` with a cursor gives only what changed since. */
  readonly delta: boolean
  /** A delta contains explicit deletions. */
  readonly tombstones: boolean
  /** `find` answers by identity key without a listing; needed at the destination of a streamed one-way flow. */
  readonly find: boolean
  readonly precondition: 'transactional' | 'version' | 'none'
  /** Order of listing pages is stable and `resume` cursors inside a listing survive the run. */
  readonly resumableListing: boolean
  /** Most writes in one call. */
  readonly batchSize: number
}

export type Change =
  | { readonly is: 'item'; readonly item: Item }
  /** In a listing: present with this version, content not fetched; the engine asks `fetch` when the version is news. */
  | { readonly is: 'seen'; readonly remoteId: string; readonly version: string | null }
  /** Explicit deletion. `key` when the side can tell it. */
  | { readonly is: 'gone'; readonly remoteId: string; readonly key?: string }
  /** Cannot be read: the one item is parked with the reason, the rest goes on. */
  | { readonly is: 'bad'; readonly remoteId: string; readonly version: string | null; readonly failure: SyncFailure }

export type ChangePage = {
  readonly changes: ReadonlyArray<Change>
  /**
   * Where to read on from once this page is durable. On the last page it is the cursor of the next delta; on earlier
   * pages it is null unless reading can resume there in a later run.
   */
  readonly resume: string | null
  readonly last: boolean
  /** The same, when all of them are items and the side can give them as rows: then `changes` is made when it is asked for. */
  readonly batch?: RowBatch
}

export type Reader = {
  /** `listing`: what is not in it by the last page is absent. `delta`: only changes. */
  readonly coverage: 'listing' | 'delta'
  /** Next page; after the page with `last: true` it is not called again. */
  readonly next: TE.TaskEither<SyncFailure, ChangePage>
  readonly close: () => Promise<void>
}

export type ReadAsk = {
  /** null = from the beginning (a complete listing). */
  readonly cursor: string | null
  /** Most changes in one page. */
  readonly limit: number
  /** The listing an earlier run began may be read on from `cursor` (only with `resumableListing`). */
  readonly resuming: boolean
  readonly signal: AbortSignal
  /** The caller can make use of a page's `batch`, which may have so many rows: they stay the bytes they are. */
  readonly asRows?: number
}

export type Write =
  | { readonly do: 'create'; readonly key: string; readonly fields: Fields }
  | { readonly do: 'update'; readonly key: string; readonly remoteId: string; readonly expect: string | null; readonly fields: Fields }
  | { readonly do: 'delete'; readonly key: string; readonly remoteId: string; readonly expect: string | null }

/** One answer per write, in the order of the writes. */
export type Wrote =
  /** `fields` only when the side stored something else than it was sent (read back). */
  | { readonly is: 'done'; readonly remoteId: string; readonly version: string | null; readonly fields?: Fields }
  /** The precondition failed or the item is not there: read it again and decide again. */
  | { readonly is: 'stale' }
  /** A create met an item of the same identity. */
  | { readonly is: 'exists'; readonly remoteId: string }
  /** This one item will never be accepted as it is: it is parked. */
  | { readonly is: 'refused'; readonly failure: SyncFailure }
  /** This item failed for now (or its outcome is unknown); the cursor must not pass it. */
  | { readonly is: 'failed'; readonly failure: SyncFailure }

export type Side = {
  readonly capabilities: Capabilities
  /** Stable identity of account + collection, without secrets: two sides with the same one are the same collection. */
  readonly identity: string
  /** Who answers there, as that system itself tells (cluster, principal), whatever the address: another one halts the flow. */
  readonly principal?: string
  readonly read: (ask: ReadAsk) => TE.TaskEither<SyncFailure, Reader>
  /** Current content of these remote ids; those that are gone are left out, unreadable ones are `bad`. */
  readonly fetch: (remoteIds: ReadonlyArray<string>, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyArray<Change>>
  /** Items by identity key (capability `find`). Keys without an item are left out. */
  readonly find: (keys: ReadonlyArray<string>, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyArray<Item>>
  readonly write: (writes: ReadonlyArray<Write>, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyArray<Wrote>>
  /** Items waiting at the source, when that is cheap to know (R 2.22). */
  readonly backlog?: (cursor: string | null, signal: AbortSignal) => TE.TaskEither<SyncFailure, number>
  /** Only with precondition `transactional`. */
  readonly ledger?: TransactionalLedger
  readonly close: () => Promise<void>
}

/**
 * A destination that keeps links and checkpoint of a flow beside its data and commits all three in one transaction
 * (SYNC.md §A.1.4). The fence is the lease revision at acquisition.
 */
export type TransactionalLedger = {
  /**
   * Right after acquisition, in its own transaction: afterwards no older run can commit. Answers the checkpoint as it
   * stands, or null on the first run. Fails with `fence-regress` when a fence >= this one is stored.
   */
  readonly claim: (fence: number, signal: AbortSignal) => TE.TaskEither<SyncFailure, Checkpoint | null>
  /** The checkpoint as it stands, without claiming: for dry runs, which write nothing anywhere. */
  readonly peek: (signal: AbortSignal) => TE.TaskEither<SyncFailure, Checkpoint | null>
  /** Links by link key; unknown ones are left out. */
  readonly links: (linkKeys: ReadonlyArray<string>, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyMap<string, Link>>
  /** Links by the source's remote ids (tombstones). */
  readonly linksByRemoteA: (remoteIds: ReadonlyArray<string>, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyMap<string, Link>>
  /** A page of links not seen in generation `gen`, after this link key: candidates for deletion. Set aside ones (`parked`, `conflict`) too; `tomb` is over. */
  readonly unseen: (gen: number, after: string, limit: number, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyArray<readonly [linkKey: string, link: Link]>>
  /** A page of all links, after this link key, in their order; `tomb` too. */
  readonly all: (after: string, limit: number, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyArray<readonly [linkKey: string, link: Link]>>
  /** How many links know an item of the source, and of this side. */
  readonly sizes: (signal: AbortSignal) => TE.TaskEither<SyncFailure, { readonly source: number; readonly destination: number }>
  /** How many links there are, how many `unseen` would answer, and how many of those have a copy at this side. */
  readonly count: (gen: number, signal: AbortSignal) => TE.TaskEither<SyncFailure, { readonly links: number; readonly unseen: number; readonly copied: number }>
  /** Drops every link and stores this checkpoint, in one fenced transaction. Answers how many links there were. */
  readonly forget: (checkpoint: Checkpoint, signal: AbortSignal) => TE.TaskEither<SyncFailure, number>
  readonly commit: (commit: TransactionalCommit, signal: AbortSignal) => TE.TaskEither<SyncFailure, ReadonlyArray<Wrote>>
  /** A batch at once, or nothing of it (`false`): one of its rows is there already, is refused or needs a closer look. */
  readonly load?: (load: TransactionalLoad, signal: AbortSignal) => TE.TaskEither<SyncFailure, boolean>
}

export type TransactionalCommit = {
  readonly fence: number
  readonly writes: ReadonlyArray<Write>
  /** Begins what must have gone well before the commit, and goes on beside the writes; its failure is the commit's. Every try asks for it. */
  readonly ready?: () => Promise<E.Either<SyncFailure, void>>
  /**
   * Links to store once the outcome of the writes is known: called inside the transaction with one answer per write.
   * A poison row is found by bisection and answered `refused`; the others are committed.
   */
  readonly settle: (wrote: ReadonlyArray<Wrote>) => {
    readonly puts: ReadonlyArray<readonly [linkKey: string, link: Link]>
    readonly drops: ReadonlyArray<string>
    readonly checkpoint: Checkpoint
  }
}

/** What a connector is given to open one side of one flow. Secrets arrive resolved; they stay inside the connector. */
export type OpenAsk = {
  readonly options: { readonly [option: string]: unknown }
  readonly kind: RecordKind
  readonly role: 'source' | 'destination'
  readonly connection: string
  readonly flow: string
  /** Fields this flow maps, in this side's own names; absent = all. */
  readonly fields?: ReadonlyArray<string>
  /** Resolves a reference such as `{ env: "METERS_URL" }` to its value. */
  readonly secret: (reference: string) => string | undefined
  readonly signal: AbortSignal
  /** The rate budget of the connector's `account`; absent when it names none, and in tools that open one side. */
  readonly meter?: Meter
}

/** All workers' calls to one account, counted together. A connector that knows of rate limits asks before every request. */
export type Meter = {
  /** Waits a few seconds at most; then `later`, which the connector answers as it is. */
  readonly take: (signal: AbortSignal) => TE.TaskEither<SyncFailure, void>
  /** What an answer's headers told of the limits (libs/resilience/rate-headers.ts), or what the vendor documents. */
  readonly heard: (limits: Limits) => void
}

export type Connector = {
  readonly provider: string
  /** Mistakes in the options, one readable line each with the option's path; empty = fine. Pure: opens nothing. */
  readonly validate: (options: { readonly [option: string]: unknown }, kind: RecordKind) => ReadonlyArray<OptionMistake>
  /**
   * The account at the provider whose circuit breaker and rate budget all its sides share, over all workers: stable, and
   * without secrets. Asked before a side is opened. Absent or undefined: a local provider, which has neither. Pure.
   */
  readonly account?: (ask: Pick<OpenAsk, 'options' | 'kind' | 'secret'>) => string | undefined
  readonly open: (ask: OpenAsk) => TE.TaskEither<SyncFailure, Side>
}

export type OptionMistake = { readonly path: ReadonlyArray<string>; readonly message: string; readonly mend?: string }
