/** Knows how the command line reads what the services have stored: buckets as contracts, and the newest of a stream. */
import { decode, type Contract } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import { readMessage, type StoredMessage } from '#libs/nats/stored-message.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { exitCodes } from './exit-codes.ts'
import { refusal, refusalOf, type Refusal } from './refusal.ts'

/** `revision` is what the next write has to expect; 0 = the key was never there. */
export type Kept<A> = { readonly value: A | undefined; readonly revision: number }

export const readOne = async <A>(bus: Bus, bucket: string, contract: Contract<A>, key: string): Promise<E.Either<Refusal, Kept<A>>> => {
  const entry = await openBucket(bus)(bucket).get(key)()
  if (E.isLeft(entry)) return E.left(refusalOf(`${key} in ${bucket}`)(entry.left))
  if (entry.right === undefined || entry.right.value === null) return E.right({ value: undefined, revision: entry.right?.revision ?? 0 })
  const decoded = decode(contract, entry.right.value)
  if (E.isLeft(decoded)) return E.left(refusal(exitCodes.failed, `${key} in ${bucket} is unreadable: ${decoded.left.report.join('; ')}`))
  return E.right({ value: decoded.right, revision: entry.right.revision })
}

/** Every key with what is there now, deletions too. */
export const readAll = async (bus: Bus, bucket: string, filter = '>'): Promise<E.Either<Refusal, ReadonlyArray<KvEntry>>> => {
  const entries: Array<KvEntry> = []
  const failed = Promise.withResolvers<NatsFailure>()
  const watch = openBucket(bus)(bucket).watch(filter, (entry) => entries.push(entry), { onError: failed.resolve })
  const end = await Promise.race([watch.ready, failed.promise])
  await watch.stop()
  return end === undefined ? E.right(entries) : E.left(refusalOf(bucket)(end))
}

/** The readable ones by key; `unreadable` by key with the reason. */
export const readAllAs = async <A>(bus: Bus, bucket: string, contract: Contract<A>): Promise<E.Either<Refusal, { readonly values: ReadonlyMap<string, Kept<A>>; readonly unreadable: ReadonlyMap<string, string> }>> => {
  const entries = await readAll(bus, bucket)
  if (E.isLeft(entries)) return entries
  const values = new Map<string, Kept<A>>()
  const unreadable = new Map<string, string>()
  for (const { key, value, revision } of entries.right) {
    const decoded = value === null ? undefined : decode(contract, value)
    if (decoded === undefined) values.set(key, { value: undefined, revision })
    else if (E.isRight(decoded)) values.set(key, { value: decoded.right, revision })
    else unreadable.set(key, decoded.left.report.join('; '))
  }
  return E.right({ values, unreadable })
}

/** A window this wide costs about 0.1 s when every message in it matches; each further one is eight times as wide. */
const firstWindow = 500

/** The newest messages of a stream on these subjects, newest first: windows from the end backwards, as a stream is only read forwards. */
export const newest = async (bus: Bus, stream: string, filter: string, limit: number): Promise<E.Either<Refusal, ReadonlyArray<StoredMessage>>> => {
  const failed = refusalOf(stream)
  const info = await streamInfo(bus)(stream)()
  if (E.isLeft(info)) return E.left(failed(info.left))
  const last = await readMessage(bus, stream, { lastBySubject: filter })
  if (E.isLeft(last)) return E.left(failed(last.left))
  if (last.right === undefined) return E.right([])
  let found: ReadonlyArray<StoredMessage> = []
  let before = last.right.seq + 1
  for (let width = firstWindow; found.length < limit && before > info.right.firstSeq; width *= 8) {
    const from = Math.max(info.right.firstSeq, before - width)
    const inWindow: Array<StoredMessage> = []
    for (let seq = from; seq < before;) {
      const read = await readMessage(bus, stream, { from: seq, filter })
      if (E.isLeft(read)) return E.left(failed(read.left))
      if (read.right === undefined || read.right.seq >= before) break
      inWindow.push(read.right)
      seq = read.right.seq + 1
    }
    found = [...inWindow, ...found]
    before = from
  }
  return E.right(found.slice(-limit).reverse())
}
