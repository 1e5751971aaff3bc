/** Any connection that the configuration allows, with paths that are absolute already. */
import fc from 'fast-check'
import type { Connection, Flow } from '#libs/domain/connection.ts'
import type { Schedule } from '#libs/domain/schedule.ts'

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const share = fc.oneof(fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100), fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }).filter((x) => !Object.is(x, -0)))
const words = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
const count = (max: number) => fc.integer({ min: 1, max })
const some = <A extends object>(fields: { readonly [K in keyof A]: fc.Arbitrary<A[K]> }) => fc.record(fields, { requiredKeys: [] }) as unknown as fc.Arbitrary<Partial<A>>

const schedule: fc.Arbitrary<Schedule> = fc.oneof(
  fc.constant<Schedule>({ kind: 'manual' }),
  fc.tuple(fc.integer({ min: 100, max: 86_400_000 }), fc.option(fc.nat({ max: 99 }), { nil: undefined })).map(([everyMs, jitterMs]): Schedule => ({ kind: 'interval', everyMs, ...(jitterMs === undefined ? {} : { jitterMs }) })),
  fc.record({ kind: fc.constant('cron' as const), expression: fc.constantFrom('0 6 * * *', '*/15 2-4 * * 1-5', '30 0 6 * * *'), timeZone: fc.constantFrom('UTC', 'Europe/Berlin') }),
)

const side = (name: string) => fc.record({ provider: fc.constant('base'), table: words.map((word) => `${name}${word}`) }, { requiredKeys: ['provider', 'table'] })

const flow = (i: number): fc.Arbitrary<Flow> =>
  fc.constantFrom('one-way' as const, 'two-way' as const).chain((direction) =>
    fc.tuple(
      fc.constantFrom('contact' as const, 'event' as const, 'row' as const), side(`source ${i} `), side(`destination ${i} `),
      some<Partial<Flow>>({
        fields: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), words, { minKeys: 1, maxKeys: 3 }),
        deleteWins: fc.boolean(),
        batchSize: count(10_000),
        horizonMs: fc.nat({ max: 86_400_000 }),
        guards: some({ maxDeletes: fc.nat({ max: 1_000_000 }), maxDeleteShare: share, maxBadShare: share, mode: fc.constantFrom('standard' as const, 'strict' as const), canary: words }),
        ...(direction === 'one-way' ? { drift: fc.constantFrom('ignore' as const, 'reassert' as const), deletes: fc.constantFrom('follow' as const, 'keep' as const) } : { readOnly: fc.constantFrom('error' as const, 'ignore' as const, 'revert' as const) }),
      }),
    ).map(([kind, source, destination, rest]) => ({ id: `f${i}`, direction, kind, source, destination, ...rest }) as unknown as Flow))

export const arbitraryConnection = (): fc.Arbitrary<Connection> =>
  fc.tuple(
    id, schedule, fc.integer({ min: 1, max: 3 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => flow(i)))), fc.boolean(),
    some<Partial<Connection>>({
      description: words,
      strategy: fc.constantFrom('source-wins' as const, 'destination-wins' as const, 'newest-wins' as const, 'manual' as const),
      tie: fc.constantFrom('source' as const, 'destination' as const),
      entitled: fc.constant(true),
      lane: fc.constantFrom('hot' as const, 'cold' as const),
      priority: fc.integer({ min: -1_000, max: 1_000 }),
      paused: fc.boolean(),
      runTimeoutMs: fc.integer({ min: 1_000, max: 86_400_000 }),
      maxAttempts: count(5),
      sameActivityOverlap: share,
    }),
  ).map(([conn, when, flows, isShort, rest]) => {
    const first = flows[0]
    const named = isShort && first !== undefined ? [{ ...first, id: 'main' }] : flows
    return { id: conn, schedule: when, flows: named, ...rest } as unknown as Connection
  })
