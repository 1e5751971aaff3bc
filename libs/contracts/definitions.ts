/** Knows how streams, buckets and consumers are described as plain data. Does not know which ones there are. */

export type StreamDef = {
  readonly name: string
  readonly subjects: ReadonlyArray<string>
  readonly retention: 'workqueue' | 'limits'
  readonly discard: 'new' | 'old'
  readonly discardNewPerSubject?: boolean
  readonly maxMsgsPerSubject?: number
  readonly maxAgeMs?: number
  readonly maxBytes?: number
  readonly maxMsgSize?: number
  readonly duplicateWindowMs?: number
  readonly storage?: 'file' | 'memory'
  readonly allowDirect?: boolean
  readonly description?: string
}

export type BucketDef = {
  readonly name: string
  /** 1 to 64. With more than 1 never a TTL: an expired value would uncover the older one (NATS.md §2.1). */
  readonly history: number
  /** Allows TTLs per key, and is how long the server's note of an expiry stays. */
  readonly markerTtlMs?: number
  /** Allows atomic batches. */
  readonly allowAtomic?: boolean
  /** Reads by any replica, which may be stale. Where what is read is written back: off, or only as long as there is one replica. */
  readonly allowDirect?: boolean | 'with-one-replica'
  readonly maxAgeMs?: number
  readonly maxBytes?: number
  readonly storage?: 'file' | 'memory'
  readonly description?: string
}

export type ConsumerDef = {
  readonly stream: string
  readonly durable: string
  readonly filterSubjects?: ReadonlyArray<string>
  readonly ackWaitMs: number
  /** -1 = no end. */
  readonly maxDeliver: number
  readonly maxAckPending: number
  readonly description?: string
}

export type Definitions = {
  readonly streams: ReadonlyArray<StreamDef>
  readonly buckets: ReadonlyArray<BucketDef>
  readonly consumers: ReadonlyArray<ConsumerDef>
}
