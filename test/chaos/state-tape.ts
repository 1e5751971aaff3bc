/**
 * Knows how every message of `sync_state` and of the work queue is heard as the server stores it, the overwritten ones too: the
 * server repeats them (`republish`), and after a broken line what is left in the stream fills most of the gap. The stream itself
 * is not touched: more history would change what an expired lease uncovers (NATS.md §2.1). A second stream could not keep the
 * repetitions: they carry their conditions, which it would check again.
 */
import { decode } from '#libs/contracts/decode.ts'
import { CheckpointEntry, LeaseEntry, LedgerPage } from '#libs/contracts/state.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { follow } from '#libs/nats/follow.ts'
import type { HeaderRecord } from '#libs/nats/headers.ts'
import type { StoredMessage } from '#libs/nats/stored-message.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { monotonic, type HistoryRecord, type LeaseHeld, type Publish } from './history.ts'

const state = { stream: 'KV_sync_state', subjects: '$KV.sync_state.>', to: 'chaos.state' } as const
const work = { stream: 'SYNC_WORK', subjects: 'sync.work.>', to: 'chaos.work' } as const

export type Tape = { readonly stop: () => Promise<void> }

/** Writes down what is stored from now on, once each. Before anything else is stored there. */
export const startTape = async (bus: Bus, record: (record: HistoryRecord) => void): Promise<Tape> => {
  for (const { stream, subjects, to } of [state, work]) {
    await bus.jsm.streams.update(stream, { republish: { src: subjects, dest: `${to}.>` } })
  }
  const seen = new Set<number>()
  const take = (message: Omit<StoredMessage, 'subject'> & { readonly key: string }): void => {
    if (seen.has(message.seq)) return
    seen.add(message.seq)
    const publish = publishOf(message)
    if (publish !== undefined) record(publish)
  }
  const listening = [
    subscribe(bus, {
      subject: `${state.to}.>`, onError: () => undefined,
      handle: ({ body, headers: of }) => {
        const headers = of()
        take({ key: keyIn(headers['Nats-Subject'] ?? ''), seq: Number(headers['Nats-Sequence']), storedAt: Date.parse(headers['Nats-Time-Stamp'] ?? ''), headers, body })
      },
    }),
    subscribe(bus, {
      subject: `${work.to}.>`, onError: () => undefined,
      handle: ({ body, headers: of }) => {
        const headers = of()
        const raw = jsonIn(body) as { readonly conn?: string; readonly run?: string; readonly cause?: string } | null
        record({ is: 'admitted', at: monotonic(), storedAt: Date.parse(headers['Nats-Time-Stamp'] ?? ''), seq: Number(headers['Nats-Sequence']), conn: raw?.conn ?? '', run: raw?.run ?? '', cause: raw?.cause ?? '', raw })
      },
    }),
  ]
  // Only for what is stored while our line is down: otherwise the repetition comes first.
  const left = follow(bus, { stream: state.stream, filter: state.subjects, deliver: 'all', onMessage: (message) => void setTimeout(() => take({ ...message, key: keyIn(message.subject) }), 1_000), onCaughtUp: () => undefined, onFailure: () => undefined })
  return { stop: async () => void (await Promise.all([left.stop(), ...listening.map((one) => one.stop())])) }
}

/** Every message of a stream, oldest first. */
export const everything = (bus: Bus, stream: string, deliver: 'all' | 'last-per-subject' = 'all'): Promise<ReadonlyArray<StoredMessage>> =>
  new Promise((done, failed) => {
    const messages: Array<StoredMessage> = []
    const following = follow(bus, {
      stream, filter: '>', deliver,
      onMessage: (message) => void messages.push(message),
      onCaughtUp: () => void following.stop().then(() => done(messages)),
      onFailure: (failure) => void following.stop().then(() => failed(new Error(`${stream} cannot be read: ${JSON.stringify(failure)}`))),
    })
  })

const publishOf = ({ key, seq, headers, body, storedAt }: Omit<StoredMessage, 'subject'> & { readonly key: string }): Publish | undefined => {
  const [record, conn = ''] = key.split('.')
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !added.has(name))) as HeaderRecord
  const base = { is: 'publish', at: monotonic(), storedAt, seq, conn, key, headers: kept } as const
  const deleted = body.length === 0
  switch (record) {
    case 'lease': {
      const lease = deleted ? undefined : decode(LeaseEntry, body)
      return { ...base, record: 'lease', deleted, ...(lease !== undefined && E.isRight(lease) ? { lease: { owner: lease.right.owner, nonce: lease.right.nonce, run: lease.right.run, n: lease.right.n, free: lease.right.free } } : {}) }
    }
    case 'ckpt': {
      const decoded = deleted ? undefined : decode(CheckpointEntry, body)
      if (decoded === undefined || E.isLeft(decoded)) return { ...base, record: 'checkpoint', deleted }
      const { fence, run, phase, cursorA, cursorB } = decoded.right
      return { ...base, record: 'checkpoint', deleted, checkpoint: { fence, run, phase, cursorA, cursorB, raw: decoded.right } }
    }
    case 'page': {
      const page = deleted ? undefined : decode(LedgerPage, body)
      return { ...base, record: 'page', deleted, ...(page !== undefined && E.isRight(page) ? { page: { links: Object.keys(page.right.links).length } } : {}) }
    }
    default:
      return undefined
  }
}

/** Who held the leases, from their messages. */
export const leasesIn = (heard: ReadonlyArray<Publish>): ReadonlyArray<LeaseHeld> => {
  const publishes = [...heard].sort((x, y) => x.seq - y.seq)
  const open = new Map<string, LeaseHeld>()
  const ended: Array<LeaseHeld> = []
  const end = (held: LeaseHeld, by: LeaseHeld['endedBy'], storedAt: number): void => {
    open.delete(held.conn)
    ended.push({ ...held, toStoredAt: storedAt, endedBy: by })
  }
  for (const { record, conn, lease, seq, storedAt, headers } of publishes) {
    if (record !== 'lease') continue
    const held = open.get(conn)
    if (lease === undefined || lease.free) {
      if (held !== undefined) end(held, headers['Nats-Marker-Reason'] === 'MaxAge' ? 'expiry' : 'release', storedAt)
      continue
    }
    if (held?.nonce === lease.nonce) continue
    if (held !== undefined) end(held, 'take-over', storedAt)
    open.set(conn, { is: 'lease', at: monotonic(), conn, owner: lease.owner, nonce: lease.nonce, run: lease.run, fence: seq, fromStoredAt: storedAt, toStoredAt: null, endedBy: 'open' })
  }
  return [...ended, ...open.values()]
}

/** What repetition puts on top of a message's own headers. */
const added = new Set(['Nats-Stream', 'Nats-Subject', 'Nats-Sequence', 'Nats-Time-Stamp', 'Nats-Last-Sequence'])
const keyIn = (subject: string): string => subject.slice('$KV.sync_state.'.length)
const jsonIn = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown
  } catch {
    return null
  }
}
