/** Knows how to look into a stream and take messages out of it by hand. Does not consume. */
import { E, TE, pipe } from '#libs/fp.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { readMessage } from './stored-message.ts'
import type { StoredMessage } from './stored-message.ts'
import type { Bus } from './connect.ts'

export type ListOptions = { readonly filterSubject: string; readonly fromSeq?: number; readonly limit: number }

export type StreamNumbers = {
  readonly messages: number
  readonly bytes: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly consumers: number
  /** Messages per subject; only what the filter matches, at most 100 000 subjects (NATS.md §13). */
  readonly subjects: Readonly<Record<string, number>>
}

export type ConsumerNumbers = {
  readonly pending: number
  readonly ackPending: number
  readonly redelivered: number
  readonly waitingPulls: number
  readonly ackFloorSeq: number
}

export const getMessage =
  (bus: Bus) =>
  (
    stream: string,
    query: { readonly seq: number } | { readonly lastBySubject: string },
  ): TE.TaskEither<NatsFailure, StoredMessage | undefined> =>
  () =>
    readMessage(bus, stream, query)

/** One at a time, because a work queue allows no second consumer beside the one that works. */
export const listMessages =
  (bus: Bus) =>
  (stream: string, options: ListOptions): TE.TaskEither<NatsFailure, ReadonlyArray<StoredMessage>> =>
  async () => {
    const messages: StoredMessage[] = []
    let from = options.fromSeq ?? 1
    while (messages.length < options.limit) {
      const read = await readMessage(bus, stream, { from, filter: options.filterSubject })
      if (read._tag === 'Left') return read
      if (read.right === undefined) break
      messages.push(read.right)
      from = read.right.seq + 1
    }
    return E.right(messages)
  }

/** False when it was gone already, which is what was wanted. */
export const deleteMessage =
  (bus: Bus) =>
  (stream: string, seq: number): TE.TaskEither<NatsFailure, boolean> =>
    pipe(
      TE.tryCatch(() => bus.jsm.streams.deleteMessage(stream, seq, false), natsFailureOf),
      TE.orElse((failure) => (isNoSuchMessage(failure) ? TE.right(false) : TE.left(failure))),
    )

/** How many messages it removed. */
export const purge =
  (bus: Bus) =>
  (stream: string, filter: string): TE.TaskEither<NatsFailure, number> =>
    pipe(
      TE.tryCatch(() => bus.jsm.streams.purge(stream, { filter }), natsFailureOf),
      TE.map(({ purged }) => purged),
    )

/** Everything before this sequence. How many messages it removed. */
export const purgeBefore =
  (bus: Bus) =>
  (stream: string, seq: number): TE.TaskEither<NatsFailure, number> =>
    pipe(
      TE.tryCatch(() => bus.jsm.streams.purge(stream, { seq }), natsFailureOf),
      TE.map(({ purged }) => purged),
    )

export const streamInfo =
  (bus: Bus) =>
  (stream: string, subjectsFilter?: string): TE.TaskEither<NatsFailure, StreamNumbers> =>
    pipe(
      TE.tryCatch(
        () => bus.jsm.streams.info(stream, subjectsFilter === undefined ? {} : { subjects_filter: subjectsFilter }),
        natsFailureOf,
      ),
      TE.map(({ state }) => ({
        messages: state.messages,
        bytes: state.bytes,
        firstSeq: state.first_seq,
        lastSeq: state.last_seq,
        consumers: state.consumer_count,
        subjects: state.subjects ?? {},
      })),
    )

export const consumerInfo =
  (bus: Bus) =>
  (stream: string, consumer: string): TE.TaskEither<NatsFailure, ConsumerNumbers> =>
    pipe(
      TE.tryCatch(() => bus.jsm.consumers.info(stream, consumer), natsFailureOf),
      TE.map((info) => ({
        pending: info.num_pending,
        ackPending: info.num_ack_pending,
        redelivered: info.num_redelivered,
        waitingPulls: info.num_waiting,
        ackFloorSeq: info.ack_floor.stream_seq,
      })),
    )

const isNoSuchMessage = (failure: NatsFailure): boolean =>
  (failure.is === 'not-found' && failure.what.includes('message')) ||
  (failure.is === 'other' && /no message found|sequence .* not found|\(10043\)/.test(failure.message))
