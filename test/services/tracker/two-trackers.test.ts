import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decode } from '#libs/contracts/decode.ts'
import { HistoryEntry, Stats } from '#libs/contracts/status.ts'
import { buckets, durables, streams } from '#libs/contracts/subjects.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { consumerInfo } from '#libs/nats/stream-messages.ts'
import { right, until } from '../../libs/nats/right.ts'
import { rig } from './rig.ts'
import type { Rig } from './rig.ts'
import { conn, quiet, result, runId } from './samples.ts'

let r: Rig
beforeAll(async () => (r = await rig()))
afterAll(() => r.stop())

const drained = async (): Promise<boolean> => {
  const { pending, ackPending } = await right(consumerInfo(r.bus)(streams.results, durables.results))
  return pending === 0 && ackPending === 0
}
const tally = async (id: string) => {
  const entry = await right(openBucket(r.bus)(buckets.stats).get(id))
  const read = decode(Stats, entry?.value ?? new Uint8Array())
  return read._tag === 'Right' ? read.right : undefined
}
/** Not those that a tracker which was broken off has counted already: the next who counts knows them by their names. */
const waitingIn = async (id: string): Promise<number> => {
  const counted = (await tally(id))?.counted ?? []
  return ((await r.status(id))?.uncounted ?? []).filter(({ run }) => !counted.includes(run)).length
}
const entries = async (id: string): Promise<ReadonlyArray<string>> =>
  (await right(openBucket(r.bus)(buckets.history).history(id))).flatMap(({ value }) => {
    const read = decode(HistoryEntry, value ?? new Uint8Array())
    return read._tag === 'Right' ? [read.right.run] : []
  })

describe('a backlog that two trackers share', () => {
  it('is counted once, every entry once, and the last run is the last', async () => {
    const ids = ['a', 'b', 'c']
    for (const id of ids) for (let n = 1; n <= 30; n++) await r.sayResult((n % 3 === 0 ? result : quiet)(n, { conn: conn(id) }))
    await Promise.all([r.tracker(), r.tracker()])
    await until(drained)
    for (const id of ids) {
      const waiting = await waitingIn(id)
      expect((await tally(id))?.runs['succeeded']).toBe(30 - waiting)
      expect((await tally(id))?.quietRuns).toBe(20 - waiting)
      expect([...await entries(id)].sort()).toEqual([...Array(10).keys()].map((n) => runId(3 * n + 3)))
      expect(await r.status(id)).toMatchObject({ state: 'idle', fence: 300, lastRun: { run: runId(30) } })
    }
  })
  it('and what is said twice is still counted once', async () => {
    for (let n = 25; n <= 30; n++) await r.sayResult((n % 3 === 0 ? result : quiet)(n, { conn: conn('a') }))
    await until(drained)
    expect((await tally('a'))?.runs['succeeded']).toBe(30 - (await waitingIn('a')))
    expect(await entries('a')).toHaveLength(10)
  })
})
