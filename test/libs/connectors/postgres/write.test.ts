import { describe, expect, it } from 'vitest'
import type { Side, Write } from '#libs/connectors/connector.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import { never, ok, one, readAll, refused, write } from '../../../laws/law-rig.ts'
import { pgFile, withPg, type PgRig } from './pg-rig.ts'
import { pgProxy } from './pg-proxy.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig) => Promise<void>) => it(says, withPg(newRig, body))

const creates = (items: ReadonlyArray<Fields & { readonly id: string | number }>): ReadonlyArray<Write> => items.map((fields) => ({ do: 'create', key: String(fields.id), fields }))
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1)
const contentOf = async (rig: PgRig, select: string) => (await rig.sql(select)).map((row) => Object.values(row))

describe('T66: a chunk of 200 rows, one of which a constraint refuses', () => {
  for (const poison of [1, 57, 200]) {
    scenario(`commits 199, names the one, and costs at most nine statements more (row ${poison})`, async (rig) => {
      await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, v int CHECK (v <> 13))')
      const proxy = await pgProxy(rig.url)
      const side = await rig.open({ table: rig.table('t') }, { url: proxy.url })
      const rowsOf = (bad: number) => creates(upTo(200).map((n) => ({ id: String(n), v: n === bad ? '13' : '1' })))
      const isWrite = (statement: string) => /INSERT INTO|COPY|SELECT (q.n|t.xmin)/.test(statement)
      const wrote = await write(side, rowsOf(poison))
      expect(wrote.map(({ is }) => is)).toEqual(upTo(200).map((n) => (n === poison ? 'refused' : 'done')))
      expect(wrote[poison - 1]).toMatchObject({ failure: { is: 'bad-item', code: '23514', message: expect.stringContaining('check constraint') } })
      expect(await contentOf(rig, 'SELECT count(*) FROM t')).toEqual([['199']])
      const spent = proxy.statements.filter(isWrite).length
      await rig.sql('TRUNCATE t')
      await write(side, rowsOf(0))
      expect(spent - (proxy.statements.filter(isWrite).length - spent)).toBeLessThanOrEqual(9)
    })
  }

  scenario('and so do many poison rows, each named', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, v int CHECK (v % 3 <> 0))')
    const side = await rig.open({ table: rig.table('t') })
    const wrote = await write(side, creates(upTo(300).map((n) => ({ id: String(n), v: String(n) }))))
    expect(wrote.map(({ is }) => is)).toEqual(upTo(300).map((n) => (n % 3 === 0 ? 'refused' : 'done')))
    expect(await contentOf(rig, 'SELECT count(*) FROM t')).toEqual([['200']])
  })

  scenario('also among updates, whose versions still count', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, v int CHECK (v <> 13)); INSERT INTO t SELECT n, 0 FROM generate_series(1, 20) n')
    const side = await rig.open({ table: rig.table('t') })
    const { items } = await readAll(side)
    await rig.sql('UPDATE t SET v = 5 WHERE id = 3')
    const wrote = await write(side, items.map(({ key, remoteId, version }) => ({ do: 'update', key, remoteId, expect: version, fields: { id: key, v: key === '7' ? '13' : '2' } })))
    const told = new Map(items.map(({ key }, n) => [key, wrote[n]?.is]))
    expect([told.get('3'), told.get('7'), told.get('8')]).toEqual(['stale', 'refused', 'done'])
    expect(await contentOf(rig, 'SELECT v, count(*) FROM t GROUP BY v ORDER BY v')).toEqual([['0', '1'], ['2', '18'], ['5', '1']])
  })
})

describe('a row that cannot be taken', () => {
  const cases: ReadonlyArray<readonly [why: string, value: string, code: string]> = [
    ['too long', 'x'.repeat(11), '22001'], ['not a number', 'abc', '22P02'], ['out of range', '99999999999', '22003'],
    ['no such day', '2026-02-30', '22008'], ['a zero byte', 'a\0b', '22021'], ['taken by another row', 'taken', '23505'], ['no such parent', '77', '23503'], ['nothing', '', '23502'],
  ]
  const columnFor: Readonly<Record<string, string>> = { '22001': 'short', '22P02': 'n', '22003': 'n', '22008': 'day', '22021': 'v', '23505': 'u', '23503': 'parent', '23502': 'must' }
  for (const [why, value, code] of cases) {
    scenario(`is refused with its SQLSTATE: ${why}`, async (rig) => {
      await rig.sql(`CREATE TABLE t (id bigint PRIMARY KEY, short varchar(10), n int, day date, v text, u text UNIQUE, parent bigint REFERENCES t, must text NOT NULL);
        INSERT INTO t (id, u, must) VALUES (1000, 'taken', '')`)
      const side = await rig.open({ table: rig.table('t') })
      const good = { short: null, n: '1', day: null, v: null, u: null, parent: null, must: 'm' }
      const rows = upTo(60).map((n) => ({ id: String(n), ...good, ...(n === 30 ? { [columnFor[code] ?? '']: code === '23502' ? null : value } : {}) }))
      const wrote = await write(side, creates(rows))
      expect(wrote[29]).toMatchObject({ is: 'refused', failure: { is: 'bad-item', code } })
      expect(wrote.filter(({ is }) => is === 'done').length).toBe(59)
    })
  }

  scenario('23503 waits for its parent, which comes later in the same chunk', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, parent bigint REFERENCES t, v text); INSERT INTO t VALUES (1, NULL, NULL)')
    const side = await rig.open({ table: rig.table('t') })
    const [there] = (await readAll(side)).items
    const update: Write = { do: 'update', key: '1', remoteId: '1', expect: there?.version ?? null, fields: { id: '1', parent: '2', v: 'child' } }
    const wrote = await write(side, [update, ...creates([{ id: '3', parent: '4' }]), ...creates([{ id: '4', parent: null, v: 'p' }, { id: '2', parent: null, v: 'p' }])])
    expect(wrote.map(({ is }) => is)).toEqual(['done', 'done', 'done', 'done'])
  })
})

describe('what is stored', () => {
  scenario('in another form than it was sent in is read back, and only then', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, n numeric(6,2), at timestamptz, j jsonb, l int[], ok boolean)')
    const side = await rig.open({ table: rig.table('t') })
    const exact = { id: '1', n: '1.50', at: '2026-01-01 00:00:00+00', j: null, l: null, ok: 'true' }
    const loose = { id: 2, n: 1.5, at: '2026-01-01T01:00:00+01:00', j: { b: 1, a: [] }, l: [1, null, 3], ok: true }
    const wrote = await write(side, creates([exact, loose]))
    expect(wrote[0]).toEqual({ is: 'done', remoteId: '1', version: expect.any(String) })
    expect(wrote[1]).toMatchObject({ is: 'done', remoteId: '2', fields: { id: '2', n: '1.50', at: '2026-01-01 00:00:00+00', j: '{"a": [], "b": 1}', l: '{1,NULL,3}', ok: 'true' } })
    const back = await ok(side.find(['1', '2'], never()))
    expect(back.map(({ fields }) => hashOf(fields))).toEqual([hashOf(exact), hashOf((wrote[1] as { fields: Fields }).fields)])
  })

  scenario('is read back from a table whose triggers, defaults or computed columns have their say', async (rig) => {
    await rig.sql(`CREATE TABLE t (id bigint PRIMARY KEY, v text, big text GENERATED ALWAYS AS (upper(v)) STORED, d int DEFAULT 7)`)
    const side = await rig.open({ table: rig.table('t') })
    expect(one(await write(side, creates([{ id: '1', v: 'a', big: 'x' }])))).toMatchObject({ is: 'done', fields: { id: '1', v: 'a', big: 'A', d: '7' } })
    await rig.sql(`CREATE FUNCTION trim_v() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := trim(NEW.v); RETURN NEW; END $$;
      CREATE TABLE w (id bigint PRIMARY KEY, v text); CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON w FOR EACH ROW EXECUTE FUNCTION trim_v()`)
    const tidy = await rig.open({ table: rig.table('w') })
    expect(one(await write(tidy, creates([{ id: '1', v: ' a ' }])))).toMatchObject({ fields: { v: 'a' } })
  })

  scenario('keeps what COPY and arrays treat specially', async (rig) => {
    await rig.sql('CREATE TABLE t (id text PRIMARY KEY, v text)')
    const side = await rig.open({ table: rig.table('t') })
    const odd = ['\\N', '\\.', '\t', '\n', '\r\n', '\\', '', '{}', 'NULL', '"', "'", '\u2028', '🙂', '\\\\N']
    for (const count of [1, 100]) {
      await rig.sql('TRUNCATE t')
      const rows = Array.from({ length: count }, (_, n) => odd.map((v) => ({ id: `${n} ${v}`, v }))).flat()
      const wrote = await write(side, creates(rows))
      expect(new Set(wrote.map(({ is }) => is))).toEqual(new Set(['done']))
      const back = new Map((await readAll(side, { limit: 100 })).items.map((item) => [item.key, item.fields['v']]))
      for (const { id, v } of rows) expect(back.get(id)).toBe(v)
    }
  })

  scenario('takes its own numbers into an identity column, partitions included', async (rig) => {
    await rig.sql(`CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE TABLE t2 PARTITION OF t DEFAULT`)
    const side = await rig.open({ table: rig.table('t') })
    for (const from of [0, 100]) {
      const rows = upTo(from === 0 ? 12 : 60).map((n) => ({ id: String(from + n), v: 'a' }))
      expect(new Set((await write(side, creates(rows))).map(({ is }) => is))).toEqual(new Set(['done']))
    }
    const { items } = await readAll(side, { limit: 200 })
    expect(items.length).toBe(72)
    const [first] = items
    const wrote = one(await write(side, [{ do: 'update', key: first?.key ?? '', remoteId: first?.remoteId ?? '', expect: first?.version ?? null, fields: { id: first?.key ?? '', v: 'b' } }]))
    expect(wrote).toMatchObject({ is: 'done' })
    expect((await ok(side.find([first?.key ?? ''], never())))[0]).toMatchObject({ version: (wrote as { version: string }).version, fields: { v: 'b' } })
  })
})

describe('creating what is there', () => {
  scenario('answers exists for those rows only, in small chunks and in large ones, whatever the spelling', async (rig) => {
    await rig.sql('CREATE TABLE t (id numeric PRIMARY KEY, v text)')
    const side: Side = await rig.open({ table: rig.table('t') })
    for (const count of [10, 200]) {
      await rig.sql("TRUNCATE t; INSERT INTO t VALUES (3, 'there'), (7, 'there')")
      const rows = upTo(count).map((n) => ({ id: n === 7 ? '7.0' : String(n), v: 'new' }))
      const wrote = await write(side, [...creates(rows), ...creates([{ id: '1', v: 'again' }, { id: '2.00', v: 'again' }])])
      expect(wrote.flatMap((answer, n) => (answer.is === 'exists' ? [[n, answer.remoteId]] : []))).toEqual([[2, '3'], [6, '7'], [count, '1'], [count + 1, expect.stringMatching(/^2/)]])
      expect(await contentOf(rig, "SELECT count(*) FROM t WHERE v = 'there'")).toEqual([['2']])
    }
  })

  scenario('brings a row to life that was marked as deleted', async (rig) => {
    await rig.sql("CREATE TABLE t (id bigint PRIMARY KEY, v text, gone boolean NOT NULL DEFAULT false); INSERT INTO t VALUES (1, 'old', true), (2, 'old', false)")
    const side = await rig.open({ table: rig.table('t'), softDelete: 'gone' })
    expect(await ok(side.find(['1'], never()))).toEqual([])
    expect((await write(side, creates([{ id: '1', v: 'new' }, { id: '2', v: 'new' }]))).map(({ is }) => is)).toEqual(['done', 'exists'])
    const [alive] = await ok(side.find(['1'], never()))
    expect(one(await write(side, [{ do: 'delete', key: '1', remoteId: '1', expect: alive?.version ?? null }]))).toMatchObject({ is: 'done' })
    expect(await contentOf(rig, 'SELECT id, v, gone FROM t ORDER BY id')).toEqual([['1', 'new', 't'], ['2', 'old', 'f']])
  })
})

describe('a table that does not fit', () => {
  scenario('says what is missing where', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, v text)')
    const side = await rig.open({ table: rig.table('t') })
    const failure = await refused(side.write(creates([{ id: '1', w: 'x', v: 'y' }]), never()))
    expect(failure).toMatchObject({ is: 'needs-person', code: '42703' })
    expect(failure.message).toContain(`${rig.table('t')} has no column w; it has id, v`)
    await expect(rig.open({ table: rig.table('t') }, { fields: ['id', 'w'] })).rejects.toThrow('has no column w')
    await expect(rig.open({ table: rig.table('nowhere') })).rejects.toThrow('there is no table')
  })

  scenario('is made of `columns` when it is missing', async (rig) => {
    const side = await rig.open({ table: rig.table('made'), columns: { meter: 'text', at: 'timestamptz', kwh: 'numeric(12,3)' }, key: ['meter', 'at'] })
    const fields = { meter: 'm1', at: '2026-01-01 00:00:00+00', kwh: '1.500' }
    expect(one(await write(side, [{ do: 'create', key: JSON.stringify(['m1', fields.at]), fields }]))).toMatchObject({ is: 'done' })
    expect((await readAll(side)).items).toMatchObject([{ key: '["m1","2026-01-01 00:00:00+00"]', fields }])
  })

  scenario('without a unique key, or with a nullable one, is not taken', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint, u text UNIQUE); CREATE VIEW v AS SELECT * FROM t')
    await expect(rig.open({ table: rig.table('t') })).rejects.toThrow('has no primary key')
    await expect(rig.open({ table: rig.table('t'), key: 'id' })).rejects.toThrow('CREATE UNIQUE INDEX')
    await expect(rig.open({ table: rig.table('t'), key: 'u' })).rejects.toThrow('SET NOT NULL')
    await expect(rig.open({ table: rig.table('v'), key: 'id' })).rejects.toThrow('is not a table')
  })
})
