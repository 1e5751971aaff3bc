import { describe, expect, it } from 'vitest'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { decodeValue, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { foldProgress } from '../../../services/tracker/fold-progress.ts'
import { deadResultOf, letterOf, lostBy } from '../../../services/tracker/join.ts'
import type { Advisory } from '../../../services/tracker/join.ts'
import { conn, progress, runId } from './samples.ts'

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const item: WorkItem = { conn: conn(), run: runId(3), trigger: 't', cause: 'manual', lane: 'hot', revision: 1, askedAt: 29_000, requestSeq: 8, redriveOf: 4 }
const advisory: Advisory = {
  type: 'io.nats.jetstream.advisory.v1.max_deliver', timestamp: '1970-01-01T00:01:40.000Z', stream: 'SYNC_WORK', consumer: 'worker-hot', stream_seq: 7, deliveries: 5,
}
const lost = (body: Uint8Array, subject = 'sync.work.hot.contacts') =>
  lostBy(advisory, { subject, seq: 7, body, headers: { traceparent: trace, 'Nats-Msg-Id': 'req:8' }, storedAt: 30_000 })

describe('a work item that nobody acknowledged', () => {
  const status = foldProgress(undefined, progress(3, { state: 'retrying', attempt: 2, at: 40_000, error: 'the database is down' }), false)
  const letter = letterOf(lost(encode(WorkItem, item)), status, [{ attempt: 1, at: 31_000, error: 'connection reset' }])

  it('becomes a whole letter: body, headers, trace, run', () => {
    expect(decodeValue(DeadLetter, letter)._tag).toBe('Right')
    expect(letter).toMatchObject({
      conn: 'contacts', stream: 'SYNC_WORK', seq: 7, run: runId(3), redriveOf: 4, writtenBy: 'tracker', at: 100_000,
      traceId: '0af7651916cd43dd8448eb211c80319c', headers: { traceparent: trace, 'Nats-Msg-Id': 'req:8' },
    })
    expect(JSON.parse(letter.body)).toEqual(item)
  })
  it('with every attempt that is known of: from the lease, from the last progress, and the one that ended it', () => {
    expect(letter.attempts).toEqual([
      { attempt: 1, at: 31_000, error: 'connection reset' },
      { attempt: 2, at: 40_000, error: 'the database is down' },
      { attempt: 5, at: 100_000, error: 'no acknowledgement and no error from the worker' },
    ])
  })
  it('ends its run as dead, with the cause and the time it began', () => {
    const ended = deadResultOf(lost(encode(WorkItem, item)), status)
    expect(decodeValue(RunResult, ended)._tag).toBe('Right')
    expect(ended).toMatchObject({ run: runId(3), outcome: 'dead', cause: 'manual', startedAt: 30_000, finishedAt: 100_000, attempt: 5, fence: 0, requestSeq: 8 })
  })
})

describe('a message that is no work item', () => {
  it.each([
    ['text', new TextEncoder().encode('hello'), 'hello', undefined],
    ['bytes', Uint8Array.of(0xff, 0xfe), '//4=', true],
  ])('%s: kept whole, but nobody knows whose run it was', (_, body, kept, base64) => {
    const letter = letterOf(lost(body), undefined, [])
    expect(letter).toMatchObject({ conn: 'contacts', body: kept })
    expect(letter.bodyBase64).toBe(base64)
    expect(letter.run).toBeUndefined()
    expect(letter.why).toContain('not a work item')
    expect(deadResultOf(lost(body), undefined)).toBeUndefined()
  })
  it('a work item of another connection than its subject is not believed', () => {
    expect(deadResultOf(lost(encode(WorkItem, item), 'sync.work.hot.other'), undefined)).toBeUndefined()
  })
})
