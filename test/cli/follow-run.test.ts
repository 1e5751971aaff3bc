import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import { encode } from '#libs/contracts/decode.ts'
import { Progress } from '#libs/contracts/progress.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { streamDefs } from '#libs/contracts/streams.ts'
import { subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { publish, publishCore } from '#libs/nats/publish.ts'
import { provision } from '#libs/nats/provision.ts'
import { watchRuns, type RunWatch } from '../../cli/follow-run.ts'
import { progressLine } from '../../cli/progress-line.ts'
import { right } from '../libs/nats/right.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'

const conn = 'contacts' as ConnectionId
const result = (run: string, more: Partial<RunResult> = {}): RunResult => ({
  conn, run, outcome: 'succeeded', cause: 'manual', startedAt: 1_000, finishedAt: 2_000, attempt: 1, quiet: false, fence: 1, flows: [], ...more,
})
const progress = (run: string, more: Partial<Progress> = {}): Progress => ({ conn, run, state: 'in-progress', attempt: 1, at: 500, startedAt: 0, ...more })

let server: TestServer
let bus: Bus
let watch: RunWatch
beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await right(provision(bus)({ streams: streamDefs, buckets: [], consumers: [] }, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})
beforeEach(async () => {
  watch = await watchRuns(bus, conn, systemClock, () => undefined)
})
afterEach(() => watch.stop())

const say = async (one: RunResult) => right(publish(bus)(subjects.result(conn, one.outcome), encode(RunResult, one)))
const never = new AbortController().signal
const until = (run: string, onProgress: (one: Progress) => void = () => undefined, timeoutMs?: number) => watch.until(run, { timeoutMs, interrupted: never, onProgress })

describe('waiting for a run', () => {
  it('ends with its result and not with another one, also when that came before the wait', async () => {
    await say(result('OTHER'))
    await say(result('MINE', { outcome: 'partial' }))
    expect(await until('MINE')).toMatchObject({ is: 'ended', result: { run: 'MINE', outcome: 'partial' } })
  })

  it('hears the progress of that run only', async () => {
    const heard: Array<string> = []
    const waiting = until('R1', ({ run, step }) => void heard.push(`${run} ${step ?? ''}`))
    for (const one of [progress('R0', { step: 'reading' }), progress('R1', { step: 'writing' })]) publishCore(bus)(subjects.progress(conn), encode(Progress, one))
    await say(result('R1'))
    await waiting
    expect(heard).toEqual(['R1 writing'])
  })

  it('follows a run that was put off to the one that takes its place', async () => {
    const waiting = until('R2')
    publishCore(bus)(subjects.progress(conn), encode(Progress, progress('R2', { state: 'deferred', at: 5_000, nextAttemptAt: 6_000 })))
    await right(bus.flush)
    await say(result('TICK', { cause: 'tick', startedAt: 6_000 }))
    await say(result('R3', { cause: 'deferral', startedAt: 6_000 }))
    expect(await waiting).toMatchObject({ is: 'ended', result: { run: 'R3' } })
  })

  it('finds a result whose message it never got', async () => {
    await watch.stop() // deaf from here on
    await say(result('R4'))
    expect(await until('R4')).toMatchObject({ is: 'ended', result: { run: 'R4' } })
  })

  it('ends without a result when it takes too long', async () => {
    expect(await until('R5', undefined, 50)).toEqual({ is: 'timed-out' })
  })
})

describe('the line of progress', () => {
  const counts = { read: 120, created: 30, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0 }
  const drawn = (isTty: boolean, isWanted = true) => {
    let err = ''
    const line = progressLine({ isTty, stderr: (text) => void (err += text), columns: 60 }, { now: () => 12_000 }, isWanted)
    line.draw(progress('R', { step: 'writing', flow: 'up', counts }))
    line.draw(progress('R', { state: 'retrying', attempt: 2, nextAttemptAt: 20_000, error: 'connection refused by the other side, which is down' }))
    line.clear()
    return err.split('\r\u001b[2K').slice(1)
  }

  it('is drawn over and over on a terminal, and taken away at the end', () => {
    expect(drawn(true)).toEqual([
      'contacts: writing up 12s: 120 read, 30 created',
      'contacts: retrying 12s, attempt 2, next attempt in 8s (con…',
      '',
    ])
  })

  it('is not drawn in a pipe, nor when nothing is to be said', () => {
    expect([drawn(false), drawn(true, false)]).toEqual([[], []])
  })
})
