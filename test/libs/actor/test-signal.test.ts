import { describe, expect, it } from 'vitest'
import { testSignal } from '#libs/actor/test-signal.ts'

describe('a test signal', () => {
  it('keeps nothing while nobody listens', async () => {
    const signal = testSignal<number>()
    signal.signal(1)
    const listening = signal.listen()
    signal.signal(2)
    expect(await listening.next()).toBe(2)
  })

  it('is awaited before or after it was given, and picks what is wanted', async () => {
    const signal = testSignal<number>()
    const listening = signal.listen()
    const next = listening.next((n) => n > 10)
    signal.signal(3)
    signal.signal(11)
    signal.signal(12)
    expect([await next, await listening.next()]).toEqual([11, 12])
  })

  it('says nothing more to one that stopped', async () => {
    const signal = testSignal<string>()
    const listening = signal.listen()
    listening.stop()
    signal.signal('something')
    expect(await Promise.race([listening.next(), Promise.resolve('nothing')])).toBe('nothing')
  })
})
