/** Knows the shape in which streams, buckets and consumers are described as data. Times in ms. */
export type StreamDef = {
  readonly name: string
  readonly subjects: ReadonlyArray<string>
  readonly retention: 'workqueue' | 'limits'
  readonly discard?: 'new' | 'old'
  readonly discardNewPerSubject?: boolean
  readonly maxMsgsPerSubject?: number
  readonly maxAgeMs?: number
  readonly duplicateWindowMs?: number
}

export type BucketDef = {
  readonly name: string
  readonly history: number
  readonly markerTtlMs?: number
  readonly allowAtomic?: boolean
  readonly allowDirect?: boolean
}

export type ConsumerDef = {
  readonly stream: string
  readonly durable: string
  readonly filterSubjects?: ReadonlyArray<string>
  readonly ackWaitMs: number
  readonly maxDeliver: number
  readonly maxAckPending: number
}
