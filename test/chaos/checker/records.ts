/** Hand-made records for the checker's tests: one connection `c1` between two sandbox collections, a fresh history each. */
import type { Archived, Dead, Final, HistoryRecord, LeaseHeld, Lived, Nemesis, Op, Paired, Phase, Publish, Remote, SideName, Trigger } from '../history.ts'
import { check, type Judged } from './check.ts'
import type { InvariantName } from './invariant.ts'

export const wallAt = 1_700_000_000_000
export const begin: HistoryRecord = { is: 'begin', at: 0, wallAt, seed: 1, minutes: 1, leaseTtlMs: 3_000, workers: ['w1', 'w2'] }

export const paired = (more: Partial<Paired> = {}): Paired => ({
  is: 'connection', at: 0, conn: 'c1', flow: 'main', direction: 'two-way', strategy: 'source-wins',
  A: { kind: 'sandbox', strong: true, transactional: false }, B: { kind: 'sandbox', strong: true, transactional: false }, ...more,
})

/** A client's op; it took 1 ms. */
export const op = (at: number, side: SideName, key: string, value: string | null, more: Partial<Op> = {}): Op =>
  ({ is: 'op', at, to: at + 1, conn: 'c1', side, key, kind: value === null ? 'delete' : 'update', value, result: 'ok', ...more })

export const wrote = (at: number, side: SideName, verb: 'CREATE' | 'UPDATE' | 'DELETE', key: string, value: string | null, more: Partial<Remote> = {}): Remote =>
  ({ is: 'remote', at, by: 'provider', conn: 'c1', side, verb, key, value, precondition: verb === 'CREATE' ? '*' : '"r1"', status: 200, applied: true, worker: 'w1', ...more })

export const read = (at: number, side: SideName, cursor: string | null, answered: string, last = true): Remote =>
  ({ is: 'remote', at, by: 'provider', conn: 'c1', side, verb: cursor === null ? 'LIST' : 'DELTA', status: 200, applied: false, worker: 'w1', cursor, answered: { cursor: answered, last, count: 1 } })

const publish = (at: number, seq: number, record: Publish['record'], headers: Publish['headers']): Publish =>
  ({ is: 'publish', at, storedAt: wallAt + at, seq, conn: 'c1', record, key: `${record}.c1`, headers, deleted: false })

const conditional = (revision: number) => ({ 'Nats-Expected-Last-Subject-Sequence': String(revision), 'Nats-Expected-Last-Subject-Sequence-Subject': '$KV.sync_state.lease.c1' })

/** `owner`'s lease taken or renewed; null: given back. */
export const lease = (at: number, seq: number, owner: string | null, n = 0): Publish =>
  ({ ...publish(at, seq, 'lease', {}), ...(owner === null ? { deleted: true } : { lease: { owner, nonce: `nonce-${owner}`, run: `run-${owner}`, n, free: false } }) })

/** A checkpoint alone, under the lease revision `under`; null: whoever holds it. */
export const checkpoint = (at: number, seq: number, fence: number, under: number | null, cursors: { readonly a?: string; readonly b?: string; readonly phase?: string } = {}): Publish => ({
  ...publish(at, seq, 'checkpoint', under === null ? {} : conditional(under)),
  checkpoint: { fence, run: `run-${fence}`, phase: cursors.phase ?? 'delta', cursorA: cursors.a ?? null, cursorB: cursors.b ?? null, raw: {} },
})

/** Both sides as they are in the end: key → value. */
export const finals = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): ReadonlyArray<HistoryRecord> => {
  const side = (name: SideName, items: Readonly<Record<string, string>>): ReadonlyArray<HistoryRecord> => [
    ...Object.entries(items).map(([key, value]): Final => ({ is: 'final', at: 9_000, conn: 'c1', side: name, key, remoteId: `${name}-${key}`, value })),
    { is: 'final-done', at: 9_000, conn: 'c1', side: name, items: Object.keys(items).length },
  ]
  return [...side('A', a), ...side('B', b)]
}

export const archived = (value: string): Archived => ({ is: 'archived', at: 8_000, storedAt: wallAt + 8_000, seq: 1, conn: 'c1', flow: 'main', linkKey: 'l', value, raw: {} })
export const phase = (at: number, name: Phase['phase'], round?: number): Phase => ({ is: 'phase', at, phase: name, ...(round === undefined ? {} : { round }) })
export const result = (at: number, more: Readonly<Record<string, unknown>> = {}, outcome = 'succeeded'): HistoryRecord =>
  ({ is: 'result', at, storedAt: wallAt + at, seq: 1, conn: 'c1', run: 'r', outcome, raw: { attempt: 1, ...more } })
export const trigger = (at: number): Trigger => ({ is: 'trigger', at, conn: 'c1', result: 'ok', seq: 7 })
export const dead = (at: number, msgId: string, raw: unknown): Dead => ({ is: 'dead', at, storedAt: wallAt + at, seq: 1, conn: 'c1', msgId, raw })
export const parked = (key: string): Dead => dead(5_000, `parked:r:main:${key}`, { conn: 'c1', flow: 'main', run: 'r', key, side: 'source', why: 'never accepted', at: wallAt })
export const letter = (attempts: number): Dead => dead(5_000, 'dlq:SYNC_WORK:1', { conn: 'c1', attempts: Array.from({ length: attempts }, (_, n) => ({ attempt: n + 1, at: 0, error: 'x' })) })
export const died = (at: number, process: string): Lived => ({ is: 'process', at, process, edge: 'killed', pid: 1 })
export const held = (from: number, to: number | null, owner: string, fence: number, endedBy: LeaseHeld['endedBy']): LeaseHeld =>
  ({ is: 'lease', at: from, conn: 'c1', owner, nonce: `nonce-${owner}`, run: 'r', fence, fromStoredAt: wallAt + from, toStoredAt: to === null ? null : wallAt + to, endedBy })
export const nemesis = (id: number, from: number, to: number, what: string, target: string): ReadonlyArray<Nemesis> =>
  [{ is: 'nemesis', at: from, id, edge: 'begin', what, target }, { is: 'nemesis', at: to, id, edge: 'end', what, target }]

/** What one invariant says of this history, with the connection and its beginning put before. */
export const judged = (name: InvariantName, history: ReadonlyArray<HistoryRecord>, options: { readonly paired?: Paired; readonly canaries?: ReadonlyArray<string> } = {}): Judged => {
  const found = check([begin, options.paired ?? paired(), ...history], options.canaries).invariants.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}
