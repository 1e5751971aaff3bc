import { describe, expect, it } from 'vitest'
import { describeMistake } from '#libs/config/mistake.ts'
import { readConfig } from '#libs/config/read-config.ts'
import { E } from '#libs/fp.ts'
import { known } from './known.ts'

const mistakesIn = (text: string): ReadonlyArray<string> => {
  const read = readConfig(text, 'sync.yaml', known)
  return E.isLeft(read) ? read.left.map(describeMistake) : []
}

/** A good connection, so that a case is about one thing; `more` stands on line 7 and after, indented by 4. */
const contacts = (more: string, strategyLess = ''): string => `connections:
  contacts:
    kind: contact
    direction: two-way${strategyLess}
    source: { provider: file, path: ./a }
    destination: { provider: file, path: ./b }
    ${more}
`

/** Text, and for each mistake: line:column, path, and a part of what is said. */
const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<readonly [string, string, RegExp]>]> = [
  ['an empty file', '', [['1:1', '', /found an empty file/]]],
  ['a text instead of a mapping', 'hello', [['1:1', '', /found "hello"/]]],
  ['no connections', 'defaults: { lane: cold }\n', [['1:1', 'connections', /`connections` is missing/]]],
  ['an empty list of connections', 'connections: []\n', [['1:14', 'connections', /at least one connection, found an empty list/]]],
  ['an unknown key at the top', 'conections: {}\n', [['1:1', 'conections', /"conections" is not known here; did you mean connections\?/], ['1:1', 'connections', /`connections` is missing/]]],
  ['a tab', 'connections:\n\ta: 1\n', [['2:1', '', /a tab stands where YAML wants spaces; indent by spaces/]]],
  ['a bracket left open', 'connections: { a: [1, 2\n', [['2:1', '', /not YAML/], ['2:1', '', /not YAML/]]],
  ['a text left open', 'connections: "a\n', [['2:1', '', /not YAML: Missing closing "quote/]]],
  ['two documents', 'connections: {}\n---\nconnections: {}\n', [['2:1', '', /a second document begins here/]]],
  ['a key twice', 'connections:\n  a: {}\n  a: {}\n', [['3:3', 'connections.a', /expected each key once, found "a" a second time/], ['3:6', 'connections.a', /there is no flow/]]],
  ['an alias without anchor', 'connections: *gone\n', [['1:14', 'connections', /there is no anchor &gone before this/]]],
  ['an alias inside itself', 'connections:\n  a: &a { source: *a }\n', [['2:19', 'connections.a.source', /\*a stands inside &a/]]],
  ['a tag', 'connections:\n  a: !thing {}\n', [['2:13', 'connections.a', /the tag !thing is not understood/], ['2:13', 'connections.a', /there is no flow/]]],
  ['a bad connection id', 'connections:\n  a b: {}\n', [['2:3', 'connections["a b"]', /expected an id of 1 to 64 letters/], ['2:8', 'connections["a b"]', /there is no flow/]]],
  ['an unknown key with a near one', contacts('strategie: merge'), [['7:5', 'connections.contacts.strategie', /"strategie" is not known here; did you mean strategy\?/]]],
  ['the stored name of a duration', contacts('runTimeoutMs: 5'), [['7:5', 'connections.contacts.runTimeoutMs', /did you mean runTimeout\?/]]],
  ['a strategy that is none', contacts('strategy: merg'), [['7:15', 'connections.contacts.strategy', /expected one of source-wins, .* found "merg"; did you mean merge\?/]]],
  ['yes for true', contacts('paused: yes'), [['7:13', 'connections.contacts.paused', /expected true or false, found "yes"/]]],
  ['an interval without unit', contacts('schedule: { every: 30 }'), [['7:24', 'connections.contacts.schedule.every', /expected a duration .* found 30; give the unit: 30s/]]],
  ['a schedule that is only a duration', contacts('schedule: 30s'), [['7:15', 'connections.contacts.schedule', /write \{ every: 30s \}/]]],
  ['a schedule with nothing in it', contacts('schedule:'), [['7:5', 'connections.contacts.schedule', /found nothing/]]],
  ['an interval too short', contacts('schedule: { every: 10ms }'), [['7:24', 'connections.contacts.schedule.every', /at least 100ms, found "10ms"/]]],
  ['jitter as long as the interval', contacts('schedule: { every: 30s, jitter: 30s }'), [['7:37', 'connections.contacts.schedule.jitter', /less than the interval of 30s/]]],
  ['every and cron', contacts('schedule: { every: 30s, cron: "* * * * *" }'), [['7:15', 'connections.contacts.schedule', /both `every` and `cron`/]]],
  ['a bad cron expression', contacts('schedule: { cron: "0 25 * * *" }'), [['7:23', 'connections.contacts.schedule.cron', /25/]]],
  ['a cron expression of three fields', contacts('schedule: { cron: "0 * *" }'), [['7:23', 'connections.contacts.schedule.cron', /has 3 fields/]]],
  ['a bad time zone', contacts('schedule: { cron: "0 5 * * *", timeZone: Mars/Olympus }'), [['7:46', 'connections.contacts.schedule.timeZone', /an IANA time zone such as Europe\/Berlin or UTC, found "Mars\/Olympus"/]]],
  ['a share above one', contacts('guards: { maxDeleteShare: 25 }'), [['7:31', 'connections.contacts.guards.maxDeleteShare', /found 25; write 25%/]]],
  ['more attempts than the queue gives', contacts('maxAttempts: 9'), [['7:18', 'connections.contacts.maxAttempts', /a whole number from 1 to 5, found 9/]]],
  ['drift in a two-way flow', contacts('drift: reassert'), [['7:5', 'connections.contacts.drift', /`drift` means nothing in a two-way flow/]]],
  ['an id beside the key', contacts('id: other'), [['7:9', 'connections.contacts.id', /expected the same as the key/]]],
  ['flows beside a flow', contacts('flows: []'), [
    ['3:5', 'connections.contacts.kind', /`kind` belongs to a flow/], ['4:5', 'connections.contacts.direction', /belongs to a flow/],
    ['5:5', 'connections.contacts.source', /belongs to a flow/], ['6:5', 'connections.contacts.destination', /belongs to a flow/],
    ['7:12', 'connections.contacts.flows', /a list of flows, found an empty list/],
  ]],
  ['a strategy without entitlement', contacts('strategy: merge\n    entitled: false'), [['7:15', 'connections.contacts.strategy', /not entitled to merge/]]],
  ['merge where no base can be', contacts('strategy: merge').replace('two-way', 'one-way'), [['7:15', 'connections.contacts.strategy', /merge needs a base, and the one-way flow connections\.contacts of contact records has none/]]],
  ['a destination that is read-only', contacts('').replace('path: ./b', 'path: ./b, readOnly: true').replace('two-way', 'one-way'), [['6:47', 'connections.contacts.destination.readOnly', /a one-way flow writes to its destination, which is read-only/]]],
  ['two read-only sides', contacts('').replaceAll(/path: (\.\/.) /g, 'path: $1, readOnly: true '), [['6:47', 'connections.contacts.destination.readOnly', /both sides are read-only/]]],
  ['a read-only policy one way', contacts('readOnly: revert').replace('two-way', 'one-way'), [['7:5', 'connections.contacts.readOnly', /`readOnly` means nothing in a one-way flow/]]],
  ['the same place on both sides', contacts('').replace('./b', './x/../a'), [['6:5', 'connections.contacts.destination', /source and destination are the same place/]]],
]

const sides: ReadonlyArray<readonly [string, string, ReadonlyArray<readonly [string, string, RegExp]>]> = [
  ['an unknown provider', '{ provider: fil, path: ./a }', [['5:25', 'connections.contacts.source.provider', /expected one of base, file, found "fil"; did you mean file\?/]]],
  ['no provider', '{ path: ./a }', [['5:13', 'connections.contacts.source.provider', /`provider` is missing; add one of base, file/]]],
  ['no side', '', [['5:5', 'connections.contacts.source', /expected a mapping with `provider`.*found nothing/]]],
  ['an option that the provider does not know', '{ provider: file, path: ./a, colour: red }', [['5:42', 'connections.contacts.source.colour', /`colour` is not an option of the provider file; the options are path/]]],
  ['an option that is missing', '{ provider: file }', [['5:13', 'connections.contacts.source.path', /`path` is missing; name a folder/]]],
  ['a format that does not hold the kind', '{ provider: file, path: ./a, format: csv }', [['5:42', 'connections.contacts.source.format', /csv does not hold records of the kind contact/]]],
  ['a password in a URL', '{ provider: base, table: t, url: "postgres://me:hush@db/x" }', [['5:46', 'connections.contacts.source.url', /a password stands in the URL; write url: \{ env: CONTACTS_SOURCE_URL \}/]]],
  ['a token in a query', '{ provider: base, table: t, url: "https://x.test/?access_token=hush" }', [['5:46', 'connections.contacts.source.url', /a secret stands in the URL/]]],
  ['a password of its own', '{ provider: base, table: t, password: hush }', [['5:51', 'connections.contacts.source.password', /`password` is written out; write password: \{ env: CONTACTS_SOURCE_PASSWORD \}/]]],
]

describe('a configuration with one mistake', () => {
  it.each(cases)('tells %s by line, column and path', (_name, text, expected) => {
    const found = mistakesIn(text)
    expect(found).toHaveLength(expected.length)
    for (const [i, [place, path, said]] of expected.entries()) {
      expect(found[i]).toMatch(said)
      expect(found[i]?.startsWith(`sync.yaml:${place}${path === '' ? '' : ` ${path}`}:`), found[i]).toBe(true)
    }
  })

  it.each(sides)('tells of a side with %s', (_name, side, expected) => {
    const found = mistakesIn(contacts('').replace('{ provider: file, path: ./a }', side))
    expect(found).toHaveLength(expected.length)
    for (const [i, [place, path, said]] of expected.entries()) {
      expect(found[i]).toMatch(said)
      expect(found[i]?.startsWith(`sync.yaml:${place} ${path}:`), found[i]).toBe(true)
    }
  })

  it('never shows the secret it has found', () => {
    for (const [, side] of sides) expect(mistakesIn(contacts('').replace('{ provider: file, path: ./a }', side)).join('\n')).not.toContain('hush')
  })
})

describe('a configuration with many mistakes', () => {
  const text = `defaults:
  schedule: { every: soon }
  strategy: merge
connections:
  - id: a
    kind: contac
    direction: both
    source: { provider: file, path: ./a }
    destination: { provider: files, path: ./b }
  - id: a
    kind: contact
    direction: one-way
    source: { provider: file }
    destination: { provider: file, path: ./d }
  - kind: event
`

  it('tells all of them at once, in the order of the lines', () => {
    expect(mistakesIn(text).map((line) => line.replace('sync.yaml:', ''))).toEqual([
      '2:22 defaults.schedule.every: expected a duration such as 500ms, 30s, 5m, 1h or 2d, found "soon"',
      '6:11 connections[0].kind: expected one of contact, event, activity, glucose-reading, row, found "contac"; did you mean contact?',
      '7:16 connections[0].direction: expected one of one-way, two-way, found "both"',
      '9:30 connections[0].destination.provider: expected one of base, file, found "files"; did you mean file?',
      '10:5 connections[1]: merge needs a base, and the one-way flow connections[1] of contact records has none; make the flow two-way, or take source-wins or destination-wins',
      '10:9 connections[1].id: expected each connection once, found "a" a second time; name it otherwise, or take one out',
      '13:13 connections[1].source.path: `path` is missing; name a folder, such as ./contacts',
      '15:5 connections[2].id: `id` is missing; add `id`, such as contacts',
      '15:5 connections[2]: there is no flow; add `source`, `destination`, `kind` and `direction`, or a list `flows`',
    ])
  })
})

describe('a configuration made to hurt', () => {
  it('is refused when it is too large', () => {
    expect(mistakesIn(`# ${'x'.repeat(17 * 1024 * 1024)}`)).toEqual([expect.stringMatching(/expected at most 16777216 bytes/)])
  })

  it('is refused when its aliases expand to too much', () => {
    const lines = ['x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]']
    for (let i = 1; i < 12; i++) lines.push(`x-${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`)
    expect(mistakesIn(lines.join('\n'))).toEqual([expect.stringMatching(/the aliases in here expand to too much/)])
  })

  it('is refused when it is nested without end', () => {
    const told = mistakesIn('['.repeat(20_000))
    expect(told).toEqual([expect.stringMatching(/nested too deeply/)])
  })
})
