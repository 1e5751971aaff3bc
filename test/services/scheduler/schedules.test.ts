import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Schedule } from '#libs/domain/schedule.ts'
import { slots } from '#libs/domain/slots.ts'
import { consume } from '#libs/nats/consume.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { deleteMessage, listMessages, streamInfo } from '#libs/nats/stream-messages.ts'
import { natsRig, read, right, type NatsRig } from './nats-rig.ts'

let rig: NatsRig
beforeAll(async () => {
  rig = await natsRig()
})
afterAll(() => rig.end())
beforeEach(() => rig.forgetAll())
afterEach(() => rig.stopAll())

describe('schedules at work', () => {
  const often: Schedule = { kind: 'interval', everyMs: 250, jitterMs: 100 }
  /** A worker that does everything at once; answers the slots it was given. */
  const quickWorker = () => {
    const ticks: Array<number> = []
    const consumption = consume(rig.bus, {
      stream: 'SYNC_WORK', consumer: 'worker-hot', concurrency: 8, onError: () => undefined,
      handle: async ({ body }) => {
        const { slot } = read(WorkItem, body)
        if (slot !== undefined) ticks.push(slot)
        return { is: 'done' }
      },
    })
    rig.stopAtEnd({ name: 'worker', stop: consumption.stop, abort: consumption.stop })
    return ticks
  }
  const skips = async () => (await right(listMessages(rig.bus)('SYNC_RESULTS', { filterSubject: 'sync.result.>', limit: 1_000 }))).map(({ body }) => read(RunResult, body))

  it('two schedulers say each slot once, and a restart goes on from the watermark', async () => {
    const ticks = quickWorker()
    const from = Date.now()
    await rig.apply('often', often)
    const both = [await rig.startScheduler(), await rig.startScheduler()]
    await rig.until(async () => (ticks.length >= 4 ? true : undefined))
    await Promise.all(both.map((service) => service.stop()))
    const before = ticks.length
    await rig.startScheduler()
    await rig.until(async () => (ticks.length >= before + 3 ? true : undefined))
    expect(new Set(ticks).size).toBe(ticks.length)
    const skippedSlots = (await skips()).map(({ slot }) => slot ?? 0)
    // The first slots belong to the time before the connection was known
    const owed = slots(often, 'often' as ConnectionId, from + 500, Date.now()).map(({ slot }) => slot).filter((slot) => slot <= Math.max(...ticks))
    expect([...ticks, ...skippedSlots]).toEqual(expect.arrayContaining(owed))
  })

  it('a busy connection has its slots recorded as coalesced, a paused one as paused, until it is resumed', async () => {
    await rig.startScheduler()
    await rig.apply('often', often)
    const blocking = await rig.work('often')
    expect(await rig.skipped('often')).toMatchObject({ outcome: 'skipped', cause: 'tick', quiet: true, reason: expect.stringContaining('coalesced') as string })
    await rig.apply('often', often, { paused: true })
    await rig.until(async () => ((await rig.skipped('often')).reason === 'paused' ? true : undefined))
    await right(deleteMessage(rig.bus)('SYNC_WORK', blocking.seq))
    await rig.apply('often', often)
    expect(await rig.work('often')).toMatchObject({ cause: 'tick' })
  })

  it('a deleted connection has no more slots', async () => {
    await rig.startScheduler()
    await rig.apply('often', often)
    await rig.work('often')
    await right(openBucket(rig.bus)('sync_connections').delete('often'))
    await rig.until(async () => ((await rig.question('often')).code === 404 ? true : undefined))
    const { lastSeq } = await right(streamInfo(rig.bus)('SYNC_RESULTS'))
    await rig.request('often')
    await rig.until(() => rig.last(DeadLetter, 'SYNC_DEAD', 'sync.dead.often'))
    expect((await right(streamInfo(rig.bus)('SYNC_RESULTS'))).lastSeq).toBeLessThanOrEqual(lastSeq + 1)
  })
})
