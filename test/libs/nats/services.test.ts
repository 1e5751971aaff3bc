import { pause } from '../../support/pause.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { serve } from '#libs/nats/serve.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'
import { bytes, left, right, text, until } from './right.ts'

let server: TestServer
let bus: Bus
const failures: NatsFailure[] = []

beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

const start = (handle: () => Promise<void> = async () => undefined) =>
  right(
    serve(bus)({
      name: 'echo',
      version: '1.2.3',
      description: 'says it again',
      endpoints: [
        {
          name: 'say',
          subject: 'echo.*',
          handle: async (subject, body, headers) => {
            await handle()
            if (subject === 'echo.refuse') return E.left({ code: 409, message: 'busy\nreally' })
            if (subject === 'echo.throw') throw new Error('secret')
            return E.right(bytes(`${subject} ${text(body)} ${headers['traceparent'] ?? ''}`))
          },
        },
      ],
      onError: (failure) => void failures.push(failure),
    }),
  )

describe('a service', () => {
  it('answers, refuses with a code, and answers even when its handler throws', async () => {
    const service = await start()
    const answer = await right(ask(bus)('echo.a', bytes('hi'), { timeoutMs: 30_000, headers: { traceparent: 't' } }))
    expect(text(answer.body)).toBe('echo.a hi t')
    expect(await left(ask(bus)('echo.refuse', bytes(''), { timeoutMs: 30_000 }))).toEqual({
      is: 'service-error',
      code: 409,
      message: 'busy really',
    })
    expect(await left(ask(bus)('echo.throw', bytes(''), { timeoutMs: 30_000 }))).toEqual({
      is: 'service-error',
      code: 500,
      message: 'internal error',
    })
    expect(failures).toHaveLength(1)
    await service.stop()
  })

  it('is found by the nats CLI', async () => {
    const service = await start()
    const ping = await right(ask(bus)('$SRV.PING.echo', bytes(''), { timeoutMs: 30_000 }))
    expect(JSON.parse(text(ping.body) ?? '')).toMatchObject({ name: 'echo', version: '1.2.3', id: service.id })
    await right(ask(bus)('echo.a', bytes('hi'), { timeoutMs: 30_000 }))
    const stats = await right(ask(bus)('$SRV.STATS.echo', bytes(''), { timeoutMs: 30_000 }))
    expect(JSON.parse(text(stats.body) ?? '')).toMatchObject({ endpoints: [{ name: 'say', num_requests: 1, queue_group: 'q' }] })
    await service.stop()
  })

  it('finishes what it was asked before it stops', async () => {
    let finish: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (finish = resolve))
    const service = await start(() => gate)
    const asked = ask(bus)('echo.a', bytes('last'), { timeoutMs: 30_000 })()
    await until(() => service.inFlight() === 1)
    const stopping = service.stop()
    finish()
    expect((await asked)._tag).toBe('Right')
    await stopping
    expect(await left(ask(bus)('echo.a', bytes(''), { timeoutMs: 30_000 }))).toEqual({ is: 'no-responders', subject: 'echo.a' })
  })

  it('that is too slow leaves the asker with a timeout', async () => {
    const service = await start(() => pause(300))
    expect(await left(ask(bus)('echo.a', bytes(''), { timeoutMs: 50 }))).toEqual({ is: 'timeout', subject: 'echo.a' })
    await service.stop()
  })
})

describe('listening in a queue group', () => {
  it('hands each message to one of them, and survives a throw', async () => {
    const heard: string[] = []
    const errors: NatsFailure[] = []
    const listen = (who: string) =>
      subscribe(bus, {
        subject: 'news.*',
        queue: 'g',
        handle: async (message) => {
          if (message.subject === 'news.bad') throw new Error('boom')
          heard.push(who)
          message.answer(bytes(who))
        },
        onError: (failure) => void errors.push(failure),
      })
    const all = [listen('a'), listen('b')]
    expect((await left(ask(bus)('news.bad', bytes(''), { timeoutMs: 100 }))).is).toBe('timeout')
    for (let i = 0; i < 20; i++) await right(ask(bus)('news.good', bytes(''), { timeoutMs: 30_000 }))
    expect(heard).toHaveLength(20)
    expect(errors).toHaveLength(1)
    await Promise.all(all.map((one) => one.stop()))
    expect((await left(ask(bus)('news.good', bytes(''), { timeoutMs: 30_000 }))).is).toBe('no-responders')
  })
})
