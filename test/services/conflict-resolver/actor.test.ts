import { describe, expect, it } from 'vitest'
import { ConflictAnswer, ConflictQuestion } from '#libs/contracts/conflict.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { E } from '#libs/fp.ts'
import { systemRandom } from '#libs/random.ts'
import { makeLog } from '#libs/telemetry/log.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import { answerQuestions } from '../../../services/conflict-resolver/actor.ts'
import { arbitraryConflictQuestion as question } from '../../arbitraries/conflict-question.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const body = (given: Parameters<typeof question>[0] = {}): Uint8Array => encode(ConflictQuestion, question(given))

const resolver = ({ maxBodyBytes = 1_000_000, tracer = quietTracer(systemRandom) }: { maxBodyBytes?: number; tracer?: Tracer } = {}) => {
  const lines: string[] = []
  const measured: string[] = []
  const answer = answerQuestions({
    log: makeLog({ service: 'conflict-resolver', level: 'debug', format: 'json', write: (line) => lines.push(line) }),
    tracer,
    metrics: {
      count: (name, labels, by = 1) => measured.push(`${name} ${JSON.stringify(labels ?? {})} ${by}`),
      observe: (name, seconds, labels) => measured.push(`${name} ${JSON.stringify(labels ?? {})} ${seconds}`),
    },
    clock: { monotonic: () => 0 },
  }, { maxBodyBytes })
  return { answer, lines, measured }
}

describe('a question', () => {
  it('is answered', async () => {
    const { answer, measured } = resolver()
    const answered = await answer('sync.resolve.source-wins', body(), {})
    expect(E.isRight(answered) && decode(ConflictAnswer, answered.right)).toMatchObject(E.right({ decisions: [{ key: 'ann', take: 'source' }] }))
    expect(measured).toEqual([
      'syncline.conflicts {"strategy":"source-wins","take":"source","kind":"contact"} 1',
      'syncline.resolve.duration {"strategy":"source-wins"} 0',
    ])
  })

  it('says so with its trace, without a word of the content', async () => {
    const { answer, lines } = resolver()
    await answer('sync.resolve.source-wins', body(), { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'resolver.decided', conn: 'contacts', run: '01J00000000000000000000000', traceId: '4bf92f3577b34da6a3ce929d0e0e4736', counts: { source: 1 },
    })
    expect(lines.join('')).not.toMatch(/Ann/)
  })

  it("is a child of the asker's span", async () => {
    const asked: Array<string | undefined> = []
    const quiet = quietTracer(systemRandom)
    const tracer: Tracer = { span: (name, options, work) => { asked.push(`${name} ${options.parent ?? ''}`); return quiet.span(name, options, work) } }
    await resolver({ tracer }).answer('sync.resolve.source-wins', body(), { traceparent: 'the-parent' })
    expect(asked).toEqual(['resolver.resolve the-parent'])
  })
})

describe('a question that cannot be answered', () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, source: { is: 'present' as const, fields: { FN: 'x'.repeat(30) } }, destination: { is: 'deleted' as const } }))
  const cases: ReadonlyArray<readonly [name: string, subject: string, body: Uint8Array, code: number, says: RegExp]> = [
    ['of an unknown strategy', 'sync.resolve.loudest-wins', body(), 404, /unknown strategy: .*loudest-wins; there are source-wins, /],
    ['of no strategy', 'sync.resolve.toString', body(), 404, /unknown strategy/],
    ['that is empty', 'sync.resolve.merge', bytes(''), 400, /not a conflict-question\.1: not JSON/],
    ['that is no JSON', 'sync.resolve.merge', bytes('{"conn"'), 400, /not JSON/],
    ['that is no UTF-8', 'sync.resolve.merge', Uint8Array.of(0xff, 0xfe), 400, /not JSON/],
    ['of another shape', 'sync.resolve.merge', bytes('{"conn":"a b","items":5}'), 400, /conn: expected ConnectionId, found "a b".*; and \d+ more/],
    ['on the subject of another strategy', 'sync.resolve.merge', body(), 400, /asked on sync\.resolve\.merge, but the body says strategy source-wins/],
    ['that is too long', 'sync.resolve.source-wins', body({ items: many }), 413, /the question has \d+ bytes, the limit is 2000: ask about fewer items at once/],
    ['without entitlement', 'sync.resolve.merge', body({ strategy: 'merge', entitled: false }), 403, /connection contacts is not entitled to merge/],
  ]
  it.each(cases)('%s is refused with its reason', async (_, subject, given, code, says) => {
    const { answer, lines } = resolver({ maxBodyBytes: 2_000 })
    const refused = await answer(subject, given, {})
    expect(E.isLeft(refused) && refused.left.code).toBe(code)
    expect(E.isLeft(refused) && refused.left.message).toMatch(says)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'resolver.refused', level: 'warn', code, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) })
  })

  it('because the answer would be too long says so', async () => {
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]))
    const items = [{ key: 'k', source: { is: 'present' as const, fields }, destination: { is: 'present' as const, fields: {} } }]
    const refused = await resolver({ maxBodyBytes: 2_500 }).answer('sync.resolve.source-wins', body({ items }), {})
    expect(refused).toMatchObject(E.left({ code: 413, message: expect.stringMatching(/^the answer has \d+ bytes/) }))
  })

  it('does not put what was sent into the log', async () => {
    const { answer, lines } = resolver()
    await answer('sync.resolve.merge', bytes('{"conn":"CANARY one","items":["CANARY two"]}'), {})
    await answer('sync.resolve.merge', bytes('CANARY three'), {})
    expect(lines.join('')).not.toContain('CANARY')
    expect(lines.join('')).toContain('conn: expected ConnectionId')
  })

  it('is told in few words, however long the list of mistakes', async () => {
    const refused = await resolver().answer('sync.resolve.merge', bytes(JSON.stringify({ ...question({ strategy: 'merge' }), items: Array.from({ length: 5_000 }, () => 'x'.repeat(90)) })), {})
    expect(E.isLeft(refused) && refused.left.message.length).toBeLessThanOrEqual(2_000)
  })
})
