import { describe, expect, it } from 'vitest'
import { every } from '#libs/actor/every.ts'
import { done, retryIn, type Verdict } from '#libs/actor/verdict.ts'
import { silentLog, type Log } from '#libs/telemetry/log.ts'

/** A clock that sleeps until the test wakes it, and remembers for how long it was asked to. */
const rig = (turn: (n: number) => Promise<Verdict>, log: Log = silentLog) => {
  const asked: Array<number> = []
  let wake: () => void = () => undefined
  let turns = 0
  const clock = {
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        asked.push(ms)
        wake = resolve
        signal?.addEventListener('abort', () => resolve())
        if (signal?.aborted === true) resolve()
      }),
  }
  const timer = every({ name: 'rig', delayMs: () => 100, turn: () => turn(++turns), clock, log })
  const turnOver = async () => {
    wake()
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  return { timer, turnOver, asked, turns: () => turns }
}

describe('a timer that sets itself anew', () => {
  it('waits after each turn as long as it is told', async () => {
    const { turnOver, asked, turns, timer } = rig(async () => done)
    await turnOver()
    await turnOver()
    expect([turns(), asked]).toEqual([2, [0, 100, 100]])
    await timer.stop()
  })

  it('survives a turn that fails or throws', async () => {
    const events: Array<string> = []
    const { turnOver, asked, turns, timer } = rig(
      async (n) => {
        if (n === 1) throw new Error('oops')
        return n === 2 ? retryIn(333, 'busy') : done
      },
      { ...silentLog, error: (event) => events.push(event) },
    )
    for (let i = 0; i < 3; i++) await turnOver()
    expect([turns(), asked, events]).toEqual([3, [0, 1_000, 333, 100], ['timer.threw']])
    await timer.stop()
  })

  it('takes a turn at once when nudged, and one more when nudged during a turn', async () => {
    const open: Array<() => void> = []
    const { turnOver, turns, timer } = rig(() => new Promise((resolve) => open.push(() => resolve(done))))
    await turnOver()
    timer.nudge()
    timer.nudge()
    expect(turns()).toBe(1)
    open[0]?.()
    await turnOver()
    expect(turns()).toBe(2)
    const stopping = timer.stop()
    open[1]?.()
    await stopping
  })

  it('stops after the turn under way, and takes no other', async () => {
    const open: Array<() => void> = []
    const { turnOver, turns, timer } = rig(() => new Promise((resolve) => open.push(() => resolve(done))))
    await turnOver()
    let stopped = false
    const stopping = timer.stop().then(() => (stopped = true))
    await Promise.resolve()
    expect(stopped).toBe(false)
    open[0]?.()
    await stopping
    expect(turns()).toBe(1)
  })
})
