import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.ts'
import { ConflictAnswer, ConflictQuestion } from '#libs/contracts/conflict.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import { start } from '../../../services/conflict-resolver/start.ts'
import { arbitraryConflictQuestion as question } from '../../arbitraries/conflict-question.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'
import type { TestServer } from '../../support/nats-server.ts'

type Replica = { readonly service: RunningService; readonly bus: Bus; answered: number }

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const timeoutMs = 2_000

const replica = async (server: TestServer): Promise<Replica> => {
  const quiet = quietTracer(systemRandom)
  const tracer: Tracer = { span: (name, options, work) => { made.answered += 1; return quiet.span(name, options, work) } }
  const bus = await connectTo(server)
  const service = await start({ maxBodyBytes: 1_000_000 }, { bus, version: '0.1.0', log: silentLog, tracer, metrics: quietMetrics, clock: systemClock })
  const made: Replica = { service, bus, answered: 0 }
  return made
}

describe('two replicas on a real nats-server', () => {
  let server: TestServer
  let asker: Bus
  let replicas: ReadonlyArray<Replica>

  beforeAll(async () => {
    server = await startTestServer()
    replicas = [await replica(server), await replica(server)]
    asker = await connectTo(server)
  })
  afterAll(async () => {
    await asker.close()
    for (const { bus } of replicas) await bus.close()
    await server.stop()
  })

  const asked = (strategy: string, body: Uint8Array) => ask(asker)(`sync.resolve.${strategy}`, body, { timeoutMs })()

  it('answer a question', async () => {
    const answer = await asked('source-wins', encode(ConflictQuestion, question()))
    expect(E.isRight(answer) && decode(ConflictAnswer, answer.right.body)).toMatchObject(E.right({ decisions: [{ key: 'ann', take: 'source', rule: 'source-wins' }] }))
  })

  it('share the questions: each is answered once, and both work', async () => {
    const before = replicas.map(({ answered }) => answered)
    const answers = await Promise.all(Array.from({ length: 60 }, () => asked('source-wins', encode(ConflictQuestion, question()))))
    expect(answers.every(E.isRight)).toBe(true)
    const shares = replicas.map(({ answered }, i) => answered - (before[i] ?? 0))
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(60)
    expect(Math.min(...shares)).toBeGreaterThan(0)
  })

  it('show up as one micro service with its queue group', async () => {
    const info = await ask(asker)('$SRV.INFO.conflict-resolver', bytes(''), { timeoutMs })()
    expect(E.isRight(info) && JSON.parse(new TextDecoder().decode(info.right.body))).toMatchObject({
      name: 'conflict-resolver', version: '0.1.0', endpoints: [{ name: 'resolve', subject: 'sync.resolve.*', queue_group: 'conflict-resolver' }],
    })
  })

  it('refuse what they cannot answer, with a code and the report', async () => {
    expect(await asked('merge', bytes('{'))).toMatchObject(E.left({ is: 'service-error', code: 400, message: expect.stringContaining('not JSON') }))
    expect(await asked('loudest-wins', bytes('{}'))).toMatchObject(E.left({ is: 'service-error', code: 404 }))
    const notEntitled = encode(ConflictQuestion, question({ strategy: 'merge', entitled: false }))
    expect(await asked('merge', notEntitled)).toMatchObject(E.left({ is: 'service-error', code: 403, message: expect.stringContaining('contacts') }))
  })

  it('survive everything a stranger may send', async () => {
    const nested = `{"conn":"c","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    const deep = JSON.stringify(question({ strategy: 'merge' })).replace('"Anne"', `${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    for (const body of ['', '\0', 'null', '[]', '"x"', '{"__proto__":{}}', nested, deep, 'x'.repeat(900_000)]) {
      for (let i = 0; i < replicas.length * 2; i++) {
        expect(await asked('merge', bytes(body))).toMatchObject(E.left({ is: 'service-error' }))
      }
    }
    expect(E.isRight(await asked('source-wins', encode(ConflictQuestion, question())))).toBe(true)
  })

  it('leave one another the questions when one stops', async () => {
    await replicas[0]?.service.stop()
    const answers = await Promise.all(Array.from({ length: 20 }, () => asked('source-wins', encode(ConflictQuestion, question()))))
    expect(answers.every(E.isRight)).toBe(true)
    await replicas[1]?.service.abort()
    expect(await asked('source-wins', encode(ConflictQuestion, question()))).toMatchObject(E.left({ is: 'no-responders' }))
  })
})
