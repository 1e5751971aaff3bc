/** T37, T38, T39, T40, T41 and T42 of SYNC.md on a real server. */
import { describe, expect, it } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import { never, ok, readAll, refused, tryReadAll } from '../../../laws/law-rig.ts'
import { pgFile, withPg, type PgRig } from './pg-rig.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig) => Promise<void>) => it(says, withPg(newRig, body))

const keys = (reading: { readonly items: ReadonlyArray<{ readonly key: string }> }) => reading.items.map(({ key }) => key).sort()

/** Reads until nothing new comes, as three runs of a schedule would: everything found, in order. */
const poll = async (side: Side, from: string | null, times = 1) => {
  let cursor = from
  const found: Array<string> = []
  for (let n = 0; n < times; n++) {
    const reading = await readAll(side, { cursor })
    expect(reading.coverage).toBe('delta')
    found.push(...keys(reading))
    cursor = reading.cursor
  }
  return { found, cursor }
}

const times = 'id bigint PRIMARY KEY, v text, updated_at timestamptz NOT NULL DEFAULT now()'
const counts = 'id bigint PRIMARY KEY, v text, seq bigserial'

describe('rows that share a cursor value', () => {
  scenario('T37: three of them, a page ends behind the second and the run crashes there: the third comes later', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times})`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at' })
    const { cursor } = await readAll(side)
    await rig.sql("INSERT INTO t SELECT n, 'v', '2026-01-01 00:00:00.123456+00' FROM generate_series(1, 3) n")
    const reader = await ok(side.read({ cursor, limit: 2, resuming: false, signal: never() }))
    const page = await ok(reader.next)
    await reader.close()
    expect(page).toMatchObject({ last: false })
    const rest = await readAll(await rig.open({ table: rig.table('t'), cursor: 'updated_at' }), { cursor: page.resume, limit: 2 })
    expect(keys(rest)).toEqual(['3'])
  })

  scenario('T40: an attempt that failed after half the pages is read again from the old cursor, nothing skipped', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times})`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at' })
    const { cursor } = await readAll(side)
    await rig.sql("INSERT INTO t SELECT n, 'v' FROM generate_series(1, 9) n")
    const reader = await ok(side.read({ cursor, limit: 2, resuming: false, signal: never() }))
    await ok(reader.next)
    await ok(reader.next)
    await reader.close()
    expect(keys(await readAll(side, { cursor, limit: 2 }))).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })
})

describe('T38: a row written before the poll and committed after it, with an older cursor value', () => {
  const late = async (rig: PgRig, columns: string, cursor: string, role: 'seen' | 'hidden') => {
    await rig.sql(`CREATE TABLE t (${columns})`)
    const login = `late_${rig.flow}`
    await rig.sql(`CREATE ROLE ${login} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA ${rig.flow} TO ${login}; GRANT SELECT ON t TO ${login}`)
    const url = new URL(rig.url)
    if (role === 'hidden') [url.username, url.password] = [login, 'p']
    const open = () => rig.open({ table: rig.table('t'), cursor }, { role: 'source', url: url.href })
    const start = await readAll(await open())
    const other = await rig.connect()
    await other.query('BEGIN')
    await other.query("INSERT INTO t (id, v) VALUES (1, 'late')")
    await rig.sql("INSERT INTO t (id, v) VALUES (2, 'early')")
    const first = await poll(await open(), start.cursor)
    await rig.sql("INSERT INTO t (id, v) VALUES (3, 'between')")
    const second = await poll(await open(), first.cursor, 2)
    await other.query('COMMIT')
    const third = await poll(await open(), second.cursor, 2)
    const quiet = await poll(await open(), third.cursor, 2)
    return { first: first.found, second: second.found, third: third.found, quiet: quiet.found, stable: quiet.cursor === third.cursor }
  }

  for (const [what, columns, cursor] of [['a time', times, 'updated_at'], ['a number', counts, 'seq']] as const) {
    for (const role of ['seen', 'hidden'] as const) {
      scenario(`is found by the next poll (${what}; other users' transactions are ${role})`, async (rig) => {
        const told = await late(rig, columns, cursor, role)
        expect(told.first).toEqual(['2'])
        expect(told.second).toContain('3')
        expect(told.third).toContain('1')
        expect(told.quiet, 'and what was read is not read again').toEqual([])
        expect(told.stable, 'a quiet poll leaves the cursor as it is, once the lag is over').toBe(cursor === 'seq')
      })
    }
  }

  scenario('is found although its transaction had not touched anything yet when we polled', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times})`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at', cursorLag: '0' })
    const start = await readAll(side)
    const other = await rig.connect()
    await other.query('BEGIN')
    await other.query('SELECT now()')
    await rig.sql("INSERT INTO t (id) VALUES (2)")
    const first = await poll(side, start.cursor)
    await other.query('INSERT INTO t (id) VALUES (1)')
    await other.query('COMMIT')
    expect((await poll(side, first.cursor)).found).toContain('1')
  })

  scenario('is found when it was written inside a savepoint', async (rig) => {
    await rig.sql(`CREATE TABLE t (${counts})`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'seq' })
    const start = await readAll(side)
    const other = await rig.connect()
    await other.query('BEGIN; SAVEPOINT a; INSERT INTO t (id) VALUES (1); RELEASE a; SAVEPOINT b')
    await rig.sql("INSERT INTO t (id) VALUES (2)")
    const first = await poll(side, start.cursor, 2)
    await other.query('INSERT INTO t (id) VALUES (3)')
    await other.query('COMMIT')
    expect((await poll(side, first.cursor, 2)).found).toEqual(expect.arrayContaining(['1', '3']))
  })

  scenario('is found after a first listing that ran meanwhile', async (rig) => {
    await rig.sql(`CREATE TABLE t (${counts})`)
    const other = await rig.connect()
    await other.query('BEGIN')
    await other.query('INSERT INTO t (id) VALUES (1)')
    await rig.sql('INSERT INTO t (id) SELECT n FROM generate_series(2, 5) n')
    const side = await rig.open({ table: rig.table('t'), cursor: 'seq' })
    const listing = await readAll(side, { limit: 2 })
    expect(keys(listing)).toEqual(['2', '3', '4', '5'])
    await other.query('COMMIT')
    const first = await poll(side, listing.cursor)
    expect(first.found).toContain('1')
    expect((await poll(side, first.cursor, 2)).found).toEqual([])
  })
})

describe('a delta', () => {
  scenario('T39: of nothing leaves the cursor as it is, also when the table was emptied', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times}); INSERT INTO t (id, updated_at) SELECT n, '2026-01-01' FROM generate_series(1, 3) n`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at' })
    const { cursor } = await readAll(side)
    expect(await poll(side, cursor, 3)).toEqual({ found: [], cursor })
    await rig.sql('DELETE FROM t')
    const emptied = await poll(side, cursor, 2)
    expect(emptied.found).toEqual([])
    await rig.sql('INSERT INTO t (id) VALUES (9)')
    expect((await poll(side, emptied.cursor)).found).toEqual(['9'])
  })

  scenario('is not blinded by a row from the future', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times}); INSERT INTO t VALUES (1, 'v', '2999-01-01'), (2, 'v', 'infinity')`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at' })
    const { cursor } = await readAll(side)
    await rig.sql('INSERT INTO t (id) VALUES (3)')
    const next = await poll(side, cursor)
    expect(next.found).toEqual(['3'])
    expect((await poll(side, next.cursor, 2)).found).toEqual([])
  })

  scenario('refuses a cursor column in which rows have nothing', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz); INSERT INTO t VALUES (1, NULL)')
    const side = await rig.open({ table: rig.table('t'), cursor: 'at' })
    expect(await refused(side.read({ cursor: null, limit: 5, resuming: false, signal: never() }))).toMatchObject({ is: 'needs-person', mend: expect.stringContaining('SET NOT NULL') })
  })

  scenario('of another database is cursor-lost', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times})`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at' })
    const { cursor } = await readAll(side)
    const ahead = (cursor ?? '').replace(/"xid":"\d+"/g, '"xid":"99999999999"')
    expect(await tryReadAll(side, { cursor: ahead })).toMatchObject({ is: 'cursor-lost', code: 'restored' })
    const byId = await rig.open({ table: rig.table('t') })
    expect(await tryReadAll(byId, { cursor })).toMatchObject({ is: 'cursor-lost' })
  })
})

describe('T41: texts', () => {
  scenario('are exact: microseconds, 2^53+1, numeric(38,18), jsonb, NaN, infinity', async (rig) => {
    await rig.sql(`CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, n numeric(38,18), j jsonb, f float8, b bytea, a text[], d interval, ok bool, c char(5))`)
    const rows = [
      ['9007199254740993', '2026-01-01 00:00:00.123456+00', '12345678901234567890.123456789012345678', '{"a": 1, "b": [null]}', '0.1', '\\x00ff', '{a,"b c",NULL}', '1 day 02:03:04.5', 'true', 'ab'],
      ['9007199254740992', '2026-01-01 00:00:00.123999+00', 'NaN', 'null', 'NaN', '\\x', '{}', '-00:00:01', 'false', null],
      ['3', 'infinity', null, null, 'Infinity', null, null, null, null, null],
      ['4', '-infinity', '-0.000000000000000001', '"\\u00e4\\n"', '1e-300', null, '{"\\"","\\\\"}', null, null, ''],
    ]
    for (const row of rows) await rig.sql(`INSERT INTO t VALUES (${row.map((_, n) => `$${n + 1}`).join(', ')})`, row)
    const side = await rig.open({ table: rig.table('t'), cursor: 'at' })
    const reading = await readAll(side)
    const shown = new Map(reading.items.map((item) => [item.key, Object.values(item.fields)]))
    for (const row of rows) {
      const again = await rig.sql("SELECT to_jsonb(t)->>'j' AS j, j::text AS text FROM t WHERE id = $1", [row[0]])
      expect(shown.get(row[0] ?? '')).toEqual(row.map((cell, n) => (n === 3 && cell !== null ? again[0]?.['text'] : cell)))
    }
    expect((await poll(side, reading.cursor, 2)).found, 'neither lost nor read for ever').toEqual([])
  })

  scenario('are found by a key that is spelled in another way, under the spelling that was asked', async (rig) => {
    await rig.sql("CREATE TABLE t (at timestamptz, n numeric, PRIMARY KEY (at, n)); INSERT INTO t VALUES ('2026-01-01 00:00:00+00', 1.50)")
    const side = await rig.open({ table: rig.table('t') })
    const asked = JSON.stringify(['2026-01-01T01:00:00+01:00', '1.5'])
    expect(await ok(side.find([asked, '["never", "1"]', 'no list', '["1"]'], never()))).toMatchObject([
      { key: asked, remoteId: JSON.stringify(['2026-01-01 00:00:00+00', '1.50']) },
    ])
  })
})

describe('T42: a hard delete', () => {
  scenario('is noticed with a sweep, whose unchanged rows come without content', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times}); INSERT INTO t (id) SELECT n FROM generate_series(1, 4) n`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at', sweep: true }, { role: 'source' })
    expect(side.capabilities).toMatchObject({ delta: false, tombstones: false })
    const { cursor } = await readAll(side)
    await rig.sql("DELETE FROM t WHERE id = 2; UPDATE t SET v = 'new', updated_at = now() WHERE id = 3")
    const reader = await ok(side.read({ cursor, limit: 10, resuming: false, signal: never() }))
    const page = await ok(reader.next)
    expect(reader.coverage).toBe('listing')
    expect(page.changes.map((change) => [change.is, change.is === 'item' ? change.item.key : 'remoteId' in change ? change.remoteId : '']))
      .toEqual([['seen', '1'], ['item', '3'], ['seen', '4']])
  })

  scenario('is not promised without a sweep', async (rig) => {
    await rig.sql(`CREATE TABLE t (${times})`)
    const side = await rig.open({ table: rig.table('t'), cursor: 'updated_at' })
    expect(side.capabilities).toMatchObject({ delta: true, tombstones: false })
  })
})
