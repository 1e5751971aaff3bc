import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import type { Treatment } from '#libs/resilience/call.ts'
import { inlineRetry } from '#libs/resilience/inline-retry.ts'

type Failure = Pick<Treatment, 'action' | 'wait'>
const inline: Failure = { action: 'inline' }

const rig = (answers: ReadonlyArray<Failure | 'ok'>, signal = new AbortController().signal, onSleep: () => void = () => undefined) => {
  const slept: Array<number> = []
  let calls = 0
  const sleep = (ms: number) => {
    slept.push(ms)
    onSleep()
    return Promise.resolve()
  }
  const run = inlineRetry({ clock: { sleep }, random: { next: () => 0.999_999 }, signal, treat: (failure: Failure) => failure }, () => {
    const answer = answers[calls++] ?? 'ok'
    return Promise.resolve(answer === 'ok' ? E.right('fine') : E.left(answer))
  })
  return { run, slept, calls: () => calls }
}

describe('a call that fails', () => {
  it('is tried three times at most, each wait longer', async () => {
    const { run, slept, calls } = rig([inline, inline, inline, 'ok'])
    expect(await run()).toEqual(E.left(inline))
    expect(calls()).toBe(3)
    expect(slept).toEqual([200, 400])
  })

  it('goes well at a later try', async () => {
    const { run, calls } = rig([inline, 'ok'])
    expect(await run()).toEqual(E.right('fine'))
    expect(calls()).toBe(2)
  })

  it.each(['again', 'read-back', 'defer', 'item', 'person', 'hand-back', 'refresh'] as const)('is not tried again when the table says %s', async (action) => {
    const { run, calls } = rig([{ action }, 'ok'])
    expect(await run()).toEqual(E.left({ action }))
    expect(calls()).toBe(1)
  })

  it('waits as long as the provider asked, but no longer than 5 s in here', async () => {
    const short = rig([{ action: 'inline', wait: [3_000, 3_300] }])
    expect(await short.run()).toEqual(E.right('fine'))
    expect(short.slept).toEqual([3_000])
    const long = rig([{ action: 'inline', wait: [5_001, 5_502] }])
    expect(E.isLeft(await long.run())).toBe(true)
    expect(long.calls()).toBe(1)
  })

  it('is not tried again once the run is to end', async () => {
    const stop = new AbortController()
    const { run, calls } = rig([inline, inline], stop.signal, () => stop.abort())
    expect(await run()).toEqual(E.left(inline))
    expect(calls()).toBe(1)
  })
})
