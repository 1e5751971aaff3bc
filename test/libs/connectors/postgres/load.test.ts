/** Rows that cross as they are: a page of one table's listing, loaded into another with its links, on a real server. */
import { describe, expect, it } from 'vitest'
import type { ChangePage, Reader, Side, TransactionalLedger } from '#libs/connectors/connector.ts'
import { hashOf, ledgerKey, type Item } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { never, ok, refused } from '../../../laws/law-rig.ts'
import { pgFile, withPg, type PgRig } from './pg-rig.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig) => Promise<void>) => it(says, withPg(newRig, body))

const columns = 'id bigint PRIMARY KEY, name text, amount numeric(12,2), at timestamptz, ok boolean, doc jsonb'
const odd = String.raw`(1, 'plain', 1.5, '2026-01-01 00:00:00.123456+02', true, '{"b": 1, "a": [2]}'), (2, NULL, NULL, 'infinity', NULL, NULL),
  (3, E'tab\there, line\nbreak, back\\slash, \r "quoted"', -0.00, '0044-03-15 12:00:00+00 BC', false, '"\\u00e9"'), (4, 'Zoë – Zoe\u0308 😀', 12345678.90, '2026-06-01 12:00:00+00', true, 'null'), (-5, '', 0, NULL, false, '[]')`

type Listed = { readonly reader: Reader; readonly page: ChangePage }
const firstPage = async (side: Side, limit = 100): Promise<Listed> => {
  const reader = await ok(side.read({ cursor: null, limit, resuming: false, signal: never(), asRows: limit }))
  return { reader, page: await ok(reader.next) }
}
const ledgerOf = (side: Side): TransactionalLedger => {
  if (side.ledger === undefined) throw new Error('expected a ledger')
  return side.ledger
}
const checkpoint = (fence: number) => ({ fence, run: `run-${fence}`, phase: 'first' as const, gen: 1, cursorA: 'here', cursorB: null, cfgHash: 'c', pages: 0, links: 0, parked: 0 })
const load = async (ledger: TransactionalLedger, { page }: Listed, fence = 5) => {
  if (page.batch === undefined || ledger.load === undefined) throw new Error('expected a batch and a ledger that loads')
  return ledger.load({ fence, batch: page.batch, gen: 1, at: 1_700_000_000_000, checkpoint: checkpoint(fence) }, never())()
}
const prepare = async (rig: PgRig, of = columns, into = of) => {
  await rig.sql(`SET client_encoding = 'UTF8'; CREATE TABLE a (${of}); CREATE TABLE b (${into})`)
  const [source, destination] = [await rig.open({ table: rig.table('a') }, { role: 'source' }), await rig.open({ table: rig.table('b') })]
  await ok(ledgerOf(destination).claim(5, never()))
  return { source, destination, ledger: ledgerOf(destination) }
}
const itemsOf = ({ changes }: ChangePage): ReadonlyArray<Item> => changes.flatMap((change) => (change.is === 'item' ? [change.item] : []))

describe('a page of rows', () => {
  scenario('is what the page says item by item', async (rig) => {
    const { source } = await prepare(rig)
    await rig.sql(`INSERT INTO a VALUES ${odd}`)
    const { page, reader } = await firstPage(source)
    const items = itemsOf(page)
    expect(items.length).toBe(5)
    const links = page.batch?.links.toString().trimEnd().split('\n').map((line) => line.split('\t'))
    expect(links).toEqual(items.map(({ key, version, fields }) => [key, version, hashOf(fields)]))
    expect(page.batch?.rows.toString().trimEnd().split('\n').length).toBe(5)
    await reader.close()
  })

  scenario('is not made unless it is asked for, nor of keys that are long or odd', async (rig) => {
    const { source } = await prepare(rig, 'id text PRIMARY KEY')
    await rig.sql(`INSERT INTO a VALUES ('short'), ('Zoë')`)
    const plain = await ok(source.read({ cursor: null, limit: 9, resuming: false, signal: never() }))
    expect((await ok(plain.next)).batch).toBeUndefined()
    expect((await firstPage(source)).page.batch?.count).toBe(2)
    for (const key of ['x'.repeat(65), '#1', 'a\tb', 'back\\slash']) {
      await rig.sql('INSERT INTO a VALUES ($1)', [key])
      const { page } = await firstPage(source)
      expect(page.batch).toBeUndefined()
      expect(page.changes.length).toBe(3)
      await rig.sql('DELETE FROM a WHERE id = $1', [key])
    }
  })
})

describe('loading it', () => {
  scenario('stores rows, links and checkpoint just as one by one', async (rig) => {
    const { source, destination, ledger } = await prepare(rig)
    await rig.sql(`INSERT INTO a VALUES ${odd}`)
    const listed = await firstPage(source)
    expect(await load(ledger, listed)).toEqual(E.right(true))
    const [a, b] = [await rig.sql('SELECT t::text FROM a t ORDER BY id'), await rig.sql('SELECT t::text FROM b t ORDER BY id')]
    expect(b).toEqual(a)
    const items = itemsOf(listed.page)
    const stored = new Map((await ok(destination.find(items.map(({ key }) => key), never()))).map((item) => [item.key, item]))
    const links = await ok(ledger.links(items.map(({ key }) => ledgerKey(key)), never()))
    expect(links.size).toBe(5)
    for (const { key, version, fields } of items) {
      const hash = hashOf(fields)
      expect(hashOf(stored.get(key)?.fields ?? {})).toBe(hash)
      expect(links.get(ledgerKey(key))).toEqual({ key, st: 'linked', idA: key, idB: key, verA: version, verB: stored.get(key)?.version, hA: hash, hB: hash, genA: 1, wroteB: 1_700_000_000_000 })
    }
    expect(await ok(ledger.peek(never()))).toMatchObject({ run: 'run-5', cursorA: 'here' })
    expect(await ok(ledger.count(2, never()))).toMatchObject({ links: 5, unseen: 5 })
    expect((await ok(ledger.linksByRemoteA(['3', '77'], never()))).size).toBe(1)
  })

  scenario('of a key with several columns', async (rig) => {
    const { source, ledger } = await prepare(rig, 'meter text, at int, v text, PRIMARY KEY (meter, at)')
    await rig.sql(`INSERT INTO a VALUES ('m"1', 1, 'x'), ('m2', 1, 'y'), ('m2', 2, NULL)`)
    // A quote inside a list of texts is escaped there, which a batch has no room for.
    expect((await firstPage(source)).page.batch).toBeUndefined()
    await rig.sql(`DELETE FROM a WHERE meter = 'm"1'`)
    expect(await load(ledger, await firstPage(source))).toEqual(E.right(true))
    expect([...(await ok(ledger.links(['["m2","1"]', '["m2","2"]'], never()))).values()].map(({ idB }) => idB)).toEqual(['["m2","1"]', '["m2","2"]'])
    expect((await rig.sql('SELECT count(*)::text AS n FROM b'))[0]?.['n']).toBe('2')
  })

  it.each([
    ['one of the rows is there', columns, "INSERT INTO b (id) VALUES (4)", 1],
    ['one of the rows is refused', columns, 'ALTER TABLE b ADD CHECK (id <> 3)', 0],
    ['a column has another type', columns.replace('numeric(12,2)', 'numeric(12,3)'), 'SELECT', 0],
    ['a column is computed', columns.replace('ok boolean', "ok boolean GENERATED ALWAYS AS (id > 0) STORED"), 'SELECT', 0],
    ['the table has one column more', `${columns}, more text`, 'SELECT', 0],
    ['a trigger rewrites rows', columns, 'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION f()', 0],
  ])('does nothing at all when %s', (_, into, before, there) => withPg(newRig, async (rig) => {
    await rig.sql(`CREATE TABLE a (${columns}); CREATE TABLE b (${into})`)
    await rig.sql(before)
    await rig.sql(`INSERT INTO a VALUES ${odd}`)
    const [source, destination] = [await rig.open({ table: rig.table('a') }, { role: 'source' }), await rig.open({ table: rig.table('b') })]
    const ledger = ledgerOf(destination)
    await ok(ledger.claim(5, never()))
    expect(await load(ledger, await firstPage(source))).toEqual(E.right(false))
    expect((await rig.sql('SELECT count(*)::text AS n FROM b'))[0]?.['n']).toBe(String(there))
    expect(await ok(ledger.count(1, never()))).toMatchObject({ links: 0 })
    expect(await ok(ledger.peek(never()))).toBeNull()
  })())

  scenario('is refused to a run that was overtaken, and leaves nothing behind', async (rig) => {
    const { source, ledger } = await prepare(rig)
    await rig.sql(`INSERT INTO a VALUES ${odd}`)
    await ok(ledgerOf(await rig.open({ table: rig.table('b') })).claim(6, never()))
    expect((await refused(async () => load(ledger, await firstPage(source)))).is).toBe('fenced')
    expect(await rig.sql('SELECT FROM b')).toEqual([])
  })
})

scenario('links of before have their keys brought up to date, and are found', async (rig) => {
  const { ledger } = await prepare(rig)
  const key = ['17', 'x'.repeat(70), '#4', 'Zoe\u0308', '😀']
  const { flow } = rig
  await rig.sql(`INSERT INTO syncline.link (ledger, link_key, key, st, id_a, id_b) SELECT (SELECT ledger FROM syncline.checkpoint WHERE conn = 'laws' AND flow = $1), 'old ' || k, k, 'linked', k, k FROM unnest($2::text[]) k`, [flow, key])
  await rig.sql(`DELETE FROM syncline.link WHERE key IS NULL; ALTER TABLE syncline.link ALTER COLUMN key SET NOT NULL`)
  await ok(ledger.claim(6, never()))
  const links = await ok(ledger.links(key.map(ledgerKey), never()))
  expect([...links.values()].map((link) => link.key).sort()).toEqual([...key].sort())
  expect(await rig.sql("SELECT FROM pg_attribute WHERE attrelid = 'syncline.link'::regclass AND attname = 'key' AND attnotnull")).toEqual([])
})
