import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '#libs/config/duration.ts'
import { describeConnection } from '#libs/config/describe-connection.ts'
import { describeMistake } from '#libs/config/mistake.ts'
import { readConfig } from '#libs/config/read-config.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { arbitraryConnection } from './arbitrary-connection.ts'
import { known } from './known.ts'

const read = (text: string, file = '/etc/syncline/sync.yaml') => {
  const found = readConfig(text, file, known)
  if (E.isLeft(found)) throw new Error(found.left.map(describeMistake).join('\n'))
  return found.right
}

const two = `
defaults:
  schedule: { every: 5m, jitter: 30s }
  kind: contact
  guards: { maxDeletes: 20 }
  deletes: keep
x-sides:
  a: &a { provider: file, path: ./a }
connections:
  contacts:
    direction: two-way
    source: *a
    destination: { provider: file, path: b }
    guards: { maxDeleteShare: 25%, maxBadShare: 0.5 }
  meters:
    description: Readings of the meters
    schedule: manual
    strategy: destination-wins
    lane: cold
    runTimeout: 2h
    flows:
      - id: up
        kind: row
        direction: one-way
        source: { provider: file, path: /data/readings.csv, key: [meter, at] }
        destination: { provider: base, table: readings, url: { env: METERS_URL } }
        fields: { meter: METER, at: TIME }
      - id: down
        direction: one-way
        source: { provider: file, path: here, root: ./cards }
        destination: { provider: base, table: tenants }
`

describe('a good configuration', () => {
  it('becomes connections, with defaults, shorthand, and paths from the folder of the file', () => {
    expect(read(two)).toEqual([
      {
        id: 'contacts', schedule: { kind: 'interval', everyMs: 300_000, jitterMs: 30_000 },
        flows: [{
          id: 'main', kind: 'contact', direction: 'two-way', source: { provider: 'file', path: '/etc/syncline/a' }, destination: { provider: 'file', path: '/etc/syncline/b' },
          guards: { maxDeletes: 20, maxDeleteShare: 0.25, maxBadShare: 0.5 },
        }],
      },
      {
        id: 'meters', description: 'Readings of the meters', schedule: { kind: 'manual' }, strategy: 'destination-wins', lane: 'cold', runTimeoutMs: 7_200_000,
        flows: [
          {
            id: 'up', kind: 'row', direction: 'one-way', deletes: 'keep', guards: { maxDeletes: 20 }, fields: { meter: 'METER', at: 'TIME' },
            source: { provider: 'file', path: '/data/readings.csv', key: ['meter', 'at'] }, destination: { provider: 'base', table: 'readings', url: { env: 'METERS_URL' } },
          },
          {
            id: 'down', kind: 'contact', direction: 'one-way', deletes: 'keep', guards: { maxDeletes: 20 },
            source: { provider: 'file', path: '/etc/syncline/cards/here', root: '/etc/syncline/cards' }, destination: { provider: 'base', table: 'tenants' },
          },
        ],
      },
    ])
  })

  it('syncs every minute when nothing is said, and takes cron times in UTC', () => {
    const plain = (schedule: string) => read(`connections: [{ id: a, kind: contact, direction: one-way, ${schedule} source: { provider: file, path: a }, destination: { provider: file, path: b } }]`)[0]?.schedule
    expect(plain('')).toEqual({ kind: 'interval', everyMs: 60_000 })
    expect(plain('schedule: { cron: "0 6 * * 1-5" },')).toEqual({ kind: 'cron', expression: '0 6 * * 1-5', timeZone: 'UTC' })
  })

  it('merges by <<, and takes merge for activities one way', () => {
    const [only] = read('x-a: &a { kind: activity, direction: one-way }\nconnections:\n  runs:\n    <<: *a\n    strategy: merge\n    source: { provider: base, table: a }\n    destination: { provider: base, table: b }\n')
    expect(only).toMatchObject({ strategy: 'merge', flows: [{ kind: 'activity', direction: 'one-way' }] })
  })

  it('reads thousands of connections in a moment', () => {
    const many = Array.from({ length: 3_000 }, (_, i) => `  c${i}: { kind: contact, direction: two-way, source: { provider: file, path: a${i} }, destination: { provider: file, path: b${i} } }`)
    const before = performance.now()
    expect(read(`connections:\n${many.join('\n')}\n`)).toHaveLength(3_000)
    expect(performance.now() - before).toBeLessThan(60_000) // or minutes, if each looked at all others
  })
})

describe('a connection written as YAML', () => {
  it('reads back as the same connection', () => {
    fc.assert(
      fc.property(arbitraryConnection(), (connection) => {
        expect(Connection.is(connection)).toBe(true)
        expect(read(describeConnection(connection))).toEqual([connection])
      }),
      { examples: read(two).map((connection) => [connection]), numRuns: 200 },
    )
  })

  it('is written as a person would', () => {
    expect(describeConnection(read(two)[0]!)).toBe(`connections:
  contacts:
    schedule:
      every: 5m
      jitter: 30s
    kind: contact
    direction: two-way
    source:
      provider: file
      path: /etc/syncline/a
    destination:
      provider: file
      path: /etc/syncline/b
    guards:
      maxDeletes: 20
      maxDeleteShare: 25%
      maxBadShare: 50%
`)
  })
})

describe('a duration', () => {
  it.each([['500ms', 500], ['30s', 30_000], ['1.5h', 5_400_000], ['2d', 172_800_000], ['0s', 0], [' 5 m ', 300_000], ['30', undefined], ['5 minutes', undefined], ['-1s', undefined], ['', undefined]])('%j is %s ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it('reads back as the same number of ms', () => {
    fc.assert(fc.property(fc.nat({ max: 1e12 }), (ms) => parseDuration(formatDuration(ms)) === ms))
  })
})
