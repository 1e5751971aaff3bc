/**
 * Knows what is left of connections that are gone, and what streams hold longer than they should. Only looks. A connection
 * whose document cannot be read is there: nothing of it is a leftover.
 */
import { streamDefs } from '#libs/contracts/streams.ts'
import { buckets, streams, subjects } from '#libs/contracts/subjects.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { readMessage } from '#libs/nats/stored-message.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { exitCodes } from './exit-codes.ts'
import { refusal, refusalOf, type Refusal } from './refusal.ts'
import { remembered, whoPlays } from './remembered.ts'
import { spanText } from './render.ts'
import { readAll } from './stored.ts'

export type Part = { readonly what: string; readonly entries: number; readonly stream: string; readonly filter: string }
export type Orphan = { readonly conn: ConnectionId; readonly parts: ReadonlyArray<Part> }
/** Everything before the sequence `before` is older; `atMost` so many messages. */
export type Expired = { readonly stream: string; readonly olderThan: string; readonly atMost: number; readonly before: number }
export type Leftovers = { readonly orphans: ReadonlyArray<Orphan>; readonly expired: ReadonlyArray<Expired>; readonly busy: ReadonlyArray<string> }

/** `conn`: only of this one. */
export const leftovers = async (bus: Bus, conn: string | undefined, now: number): Promise<E.Either<Refusal, Leftovers>> => {
  const documents = await readAll(bus, buckets.connections)
  if (E.isLeft(documents)) return documents
  const there = new Set(documents.right.filter(({ value }) => value !== null).map(({ key }) => key))
  if (conn !== undefined && there.has(conn)) return E.left(refusal(exitCodes.usage, `${conn} is there: nothing of it is left over`, `syncline reset ${conn} forgets what it remembers, syncline delete ${conn} takes it away`))
  const parts = new Map<ConnectionId, Array<Part>>()
  for (const place of places(bus)) {
    const counted = await streamInfo(bus)(place.stream, place.all)()
    // A bucket of an older version that is not there holds nothing
    if (E.isLeft(counted) && counted.left.is === 'not-found') continue
    if (E.isLeft(counted)) return E.left(refusalOf(place.stream)(counted.left))
    for (const [id, entries] of countByConnection(counted.right.subjects, place.prefix)) {
      if (there.has(id) || (conn !== undefined && id !== conn)) continue
      parts.set(id, [...(parts.get(id) ?? []), { what: place.what, entries, stream: place.stream, filter: place.of(id) }])
    }
  }
  const busy: Array<string> = []
  for (const id of parts.keys()) if ((await whoPlays(bus, id)) !== undefined) busy.push(id)
  const orphans = [...parts].filter(([id]) => !busy.includes(id)).map(([id, of]) => ({ conn: id, parts: of })).sort((a, b) => (a.conn < b.conn ? -1 : 1))
  const expired = conn === undefined ? await expiredIn(bus, now) : E.right([])
  return E.isLeft(expired) ? expired : E.right({ orphans, expired: expired.right, busy })
}

export const isStillGone = async (bus: Bus, conn: ConnectionId): Promise<E.Either<Refusal, boolean>> => {
  const entry = await openBucket(bus)(buckets.connections).get(conn)()
  return E.bimap(refusalOf(`connection ${conn} cannot be read`), (found: { readonly value: Uint8Array | null } | undefined) => found === undefined || found.value === null)(entry)
}

type Place = { readonly what: string; readonly stream: string; readonly all: string; readonly prefix: string; readonly of: (conn: ConnectionId) => string }

/** Where a connection's id stands in the subject: right behind the prefix. */
const places = (bus: Bus): ReadonlyArray<Place> => {
  const example = 'x' as ConnectionId
  const inBuckets = remembered(example).map(([what, bucket], n): Place => {
    const subjectOf = (conn: ConnectionId): string => {
      const [, , key = '', rest = ''] = remembered(conn)[n] ?? []
      return openBucket(bus)(bucket).subjectOf(key) + rest
    }
    const prefix = subjectOf(example).replace(/x(\.>)?$/, '')
    return { what, stream: `KV_${bucket}`, all: `${prefix}>`, prefix, of: subjectOf }
  })
  const archive = subjects.archives.replace(/>$/, '')
  const secrets = openBucket(bus)(buckets.secrets).subjectOf(example).replace(/x$/, '')
  return [
    ...inBuckets,
    { what: 'archived versions', stream: streams.archive, all: subjects.archives, prefix: archive, of: subjects.archiveOf },
    { what: 'secrets', stream: `KV_${buckets.secrets}`, all: `${secrets}>`, prefix: secrets, of: (conn) => `${secrets}${conn}.>` },
  ]
}

const countByConnection = (counted: Readonly<Record<string, number>>, prefix: string): ReadonlyMap<ConnectionId, number> => {
  const counts = new Map<ConnectionId, number>()
  for (const [subject, entries] of Object.entries(counted)) {
    const id = subject.startsWith(prefix) ? (subject.slice(prefix.length).split('.')[0] ?? '') : ''
    if (ConnectionId.is(id)) counts.set(id, (counts.get(id) ?? 0) + entries)
  }
  return counts
}

/** The server lets go of old messages by itself; a stream made with another limit does not. An hour for clocks that differ. */
const graceMs = 3_600_000

const expiredIn = async (bus: Bus, now: number): Promise<E.Either<Refusal, ReadonlyArray<Expired>>> => {
  const found: Array<Expired> = []
  for (const { name, maxAgeMs } of streamDefs) {
    if (maxAgeMs === undefined) continue
    const info = await streamInfo(bus)(name)()
    if (E.isLeft(info)) return E.left(refusalOf(name)(info.left))
    const { firstSeq, lastSeq, messages } = info.right
    if (messages === 0) continue
    // By halves: the first message that is young enough, or behind the last one
    let [low, high] = [firstSeq, lastSeq + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const met = await readMessage(bus, name, { from: middle, filter: '>' })
      if (E.isLeft(met)) return E.left(refusalOf(name)(met.left))
      if (met.right === undefined || met.right.storedAt >= now - maxAgeMs - graceMs) high = middle
      else low = met.right.seq + 1
    }
    if (low > firstSeq) found.push({ stream: name, olderThan: spanText(maxAgeMs), atMost: Math.min(messages, low - firstSeq), before: low })
  }
  return E.right(found)
}
