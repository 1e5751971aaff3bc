import { describe, expect, it } from 'vitest'
import type { Actor } from '#libs/actor/actor.ts'
import { mailbox } from '#libs/actor/mailbox.ts'
import { done, poison, retryIn } from '#libs/actor/verdict.ts'
import { E } from '#libs/fp.ts'
import { silentLog, type Log } from '#libs/telemetry/log.ts'

type Message = { readonly key: string; readonly n: number }
type Effect = { readonly say: string; readonly message: Message }
type Gate = { readonly effect: Effect; readonly open: (result: E.Either<string, void>) => void }

/** Effects wait at a gate until the test opens it. */
const rig = (options: { readonly maxInFlight?: number; readonly decide?: () => never; readonly log?: Log } = {}) => {
  const gates: Array<Gate> = []
  const actor: Actor<ReadonlyArray<number>, Message, Effect, string> = {
    name: 'rig',
    initial: [],
    decide: options.decide ?? ((state, message) => ({ next: [...state, message.n], effects: [{ say: 'a', message }, { say: 'b', message }] })),
    perform: (effect) => () => new Promise((open) => gates.push({ effect, open })),
    keyOf: ({ key }) => key,
    verdictOf: (failure, message) => (failure === 'hopeless' ? poison(`${message.n} is ${failure}`) : retryIn(7, failure)),
  }
  const box = mailbox(actor, { clock: { now: () => 0 }, log: options.log ?? silentLog, maxInFlight: options.maxInFlight ?? 8 })
  const at = (say: string, n: number) => gates.find(({ effect }) => effect.say === say && effect.message.n === n)
  const pass = async (say: string, n: number, result: E.Either<string, void> = E.right(undefined)) => {
    at(say, n)?.open(result)
    await settled()
  }
  return { box, at, pass, waiting: () => gates.map(({ effect }) => `${effect.say}${effect.message.n}`) }
}
const settled = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

describe('an actor in its mailbox', () => {
  it('performs the effects of a decision in order and answers done', async () => {
    const { box, pass, waiting } = rig()
    const verdict = box.post({ key: 'x', n: 1 })
    expect(waiting()).toEqual(['a1'])
    await pass('a', 1)
    expect(waiting()).toEqual(['a1', 'b1'])
    await pass('b', 1)
    expect(await verdict).toEqual(done)
    expect(box.state()).toEqual([1])
  })

  it('takes messages of one key one after the other, of different keys side by side', async () => {
    const { box, pass, waiting } = rig()
    void box.post({ key: 'x', n: 1 })
    void box.post({ key: 'x', n: 2 })
    void box.post({ key: 'y', n: 3 })
    expect(waiting()).toEqual(['a1', 'a3'])
    expect(box.state()).toEqual([1, 3])
    await pass('a', 1)
    await pass('b', 1)
    expect(waiting()).toEqual(['a1', 'a3', 'b1', 'a2'])
  })

  it('begins no more turns than it may', async () => {
    const { box, pass, waiting } = rig({ maxInFlight: 2 })
    for (const n of [1, 2, 3]) void box.post({ key: `k${n}`, n })
    expect([waiting(), box.inFlight()]).toEqual([['a1', 'a2'], 2])
    await pass('a', 2, E.left('later'))
    expect([waiting(), box.inFlight()]).toEqual([['a1', 'a2', 'a3'], 2])
  })

  it('ends a turn at the first failed effect, with the verdict the actor gives it', async () => {
    const { box, pass, waiting } = rig()
    const [one, two] = [box.post({ key: 'x', n: 1 }), box.post({ key: 'y', n: 2 })]
    await pass('a', 1, E.left('busy'))
    await pass('a', 2, E.left('hopeless'))
    expect([await one, await two]).toEqual([retryIn(7, 'busy'), poison('2 is hopeless')])
    expect(waiting()).not.toContain('b1')
  })

  it('turns a throw into a retry, logs and counts it, and goes on', async () => {
    const said: Array<unknown> = []
    const log: Log = { ...silentLog, error: (event, facts) => said.push([event, facts?.['service']]) }
    const { box } = rig({
      log,
      decide: () => {
        throw new Error('oops')
      },
    })
    expect(await box.post({ key: 'x', n: 1 })).toMatchObject({ is: 'retry-in', reason: 'bug: oops' })
    expect(await box.post({ key: 'x', n: 2 })).toMatchObject({ is: 'retry-in' })
    expect([box.threw(), box.inFlight(), said]).toEqual([2, 0, [['actor.threw', 'rig'], ['actor.threw', 'rig']]])
  })

  it('says when what it told itself came to nothing', async () => {
    const said: Array<unknown> = []
    const { box, pass } = rig({ log: { ...silentLog, error: (event) => said.push(event) } })
    box.tell({ key: 'x', n: 1 })
    await pass('a', 1, E.left('busy'))
    expect(said).toEqual(['actor.told-in-vain'])
  })
})

describe('a mailbox that closes', () => {
  it('gives every message taken its turn, and hands the later ones back', async () => {
    const { box, pass } = rig({ maxInFlight: 1 })
    const [one, two] = [box.post({ key: 'x', n: 1 }), box.post({ key: 'y', n: 2 })]
    let closed = false
    const closing = box.close().then(() => (closed = true))
    expect(await box.post({ key: 'z', n: 3 })).toMatchObject({ is: 'retry-in', reason: 'rig is stopping' })
    await pass('a', 1)
    await pass('b', 1)
    expect([await one, closed]).toEqual([done, false])
    await pass('a', 2)
    await pass('b', 2)
    expect(await two).toEqual(done)
    await closing
  })

  it('is closed at once when nothing is in hand', async () => {
    await rig().box.close()
  })
})
