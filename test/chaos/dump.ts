/** Knows what is written down when all is over: both sides, links, results, archive, dead letters, what is left in the queues. */
import { ArchivedVersion } from '#libs/contracts/archive.ts'
import { decode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { LedgerPage } from '#libs/contracts/state.ts'
import { Status } from '#libs/contracts/status.ts'
import { buckets, streams } from '#libs/contracts/subjects.ts'
import type { Json } from '#libs/domain/json.ts'
import { E } from '#libs/fp.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import type { UnderTest } from './connections.ts'
import { monotonic, type HistoryRecord } from './history.ts'
import type { House } from './house.ts'
import { everything } from './state-tape.ts'
import { valueOf } from './systems/cloud.ts'
import { wallToMonotonic } from './systems/tables.ts'

export const dump = async (house: House, connections: ReadonlyArray<UnderTest>, record: (record: HistoryRecord) => void): Promise<void> => {
  const toMonotonic = wallToMonotonic()
  const { bus, tables } = house
  for (const { conn, sides } of connections) {
    for (const side of ['A', 'B'] as const) {
      const standing = await sides[side].all()
      for (const item of standing) record({ is: 'final', at: monotonic(), conn, side, ...item })
      record({ is: 'final-done', at: monotonic(), conn, side, items: standing.length })
    }
  }
  for (const one of [tables.a, tables.b]) {
    for (const remote of await one.remotes(toMonotonic)) record(remote)
    for (const sidecar of await one.sidecars(toMonotonic)) record(sidecar)
    for (const link of await one.links()) record({ is: 'final-link', at: monotonic(), ...link })
  }
  for (const { subject, body } of await everything(bus, 'KV_sync_state', 'last-per-subject')) {
    const [, , kind, conn = '', flow = ''] = subject.split('.')
    const page = kind === 'page' && body.length > 0 ? decode(LedgerPage, body) : undefined
    if (page === undefined || E.isLeft(page)) continue
    for (const [linkKey, link] of Object.entries(page.right.links)) record({ is: 'final-link', at: monotonic(), conn, flow, linkKey, state: link.st, raw: link })
  }
  for (const { seq, storedAt, body } of await everything(bus, streams.results)) {
    const result = decode(RunResult, body)
    if (E.isRight(result)) record({ is: 'result', at: toMonotonic(storedAt), storedAt, seq, conn: result.right.conn, run: result.right.run, outcome: result.right.outcome, raw: result.right })
  }
  for (const { subject, seq, storedAt, body, headers } of await everything(bus, streams.dead)) {
    record({ is: 'dead', at: toMonotonic(storedAt), storedAt, seq, conn: subject.split('.')[2] ?? '', msgId: headers['Nats-Msg-Id'] ?? '', raw: jsonIn(body) })
  }
  for (const { subject, seq, storedAt, body } of await everything(bus, streams.archive)) {
    const version = decode(ArchivedVersion, body)
    if (E.isRight(version)) {
      const { conn, flow, fields } = version.right
      record({ is: 'archived', at: toMonotonic(storedAt), storedAt, seq, conn, flow, linkKey: subject.split('.')[4] ?? '', value: valueIn(fields), raw: version.right })
    }
  }
  for (const { subject, body } of await everything(bus, `KV_${buckets.status}`, 'last-per-subject')) {
    const status = decode(Status, body)
    if (E.isRight(status)) record({ is: 'final-status', at: monotonic(), conn: subject.split('.')[2] ?? '', state: status.right.state, raw: status.right })
  }
  for (const stream of [...Object.values(streams), ...Object.values(buckets).map((bucket) => `KV_${bucket}`)]) {
    const info = await streamInfo(bus)(stream, '>')()
    if (E.isRight(info)) record({ is: 'final-stream', at: monotonic(), stream, messages: info.right.messages, bytes: info.right.bytes, subjects: Object.keys(info.right.subjects) })
  }
}

const valueIn = (fields: Readonly<Record<string, unknown>>): string | null => {
  const found = (fields as Readonly<Record<string, Json | undefined>>)['value'] ?? fields['NOTE']
  return typeof found === 'string' ? valueOf(found) : null
}

const jsonIn = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown
  } catch {
    return null
  }
}
