/** A two-way flow between two tables that is gone through page by page: what the tables hold afterwards, and that the runs after it are quiet. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import type { FlowResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { openSide as openFile } from '../../libs/connectors/file/open-side.ts'
import { pgFile, withPg, type PgRig } from '../../libs/connectors/postgres/pg-rig.ts'
import { engineRig } from '../../support/engine-rig.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig) => Promise<void>) => it(says, { timeout: 120_000 }, withPg(newRig, body))
const rows = 5_000
const above = 1_000

const prepare = async (rig: PgRig, more: { readonly strategy?: string; readonly a?: Record<string, unknown>; readonly b?: Record<string, unknown> } = {}) => {
  await rig.sql('CREATE TABLE a (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), v text); CREATE TABLE b (LIKE a INCLUDING ALL)')
  const open = async (name: 'a' | 'b'): Promise<Side> => ({
    ...await rig.open({ table: rig.table(name), cursor: 'at', ...(name === 'a' ? more.a : more.b) }, { role: name === 'a' ? 'source' : 'destination' }),
    close: async () => undefined,
  })
  const sides = { source: await open('a'), destination: await open('b') }
  let most = 0
  const watched = (side: Side): Side => ({ ...side, find: (keys, signal) => {
    most = Math.max(most, keys.length)
    return side.find(keys, signal)
  } })
  const engine = engineRig({ connection: { strategy: more.strategy ?? 'source-wins' }, flow: { kind: 'row' }, wrap: (name) => watched(sides[name]) })
  const run = async (item: Partial<WorkItem> = {}): Promise<FlowResult> => {
    const [flow] = (await engine.play(item, { ports: { ...engine.ports, pairedAbove: above } })).result.flows
    if (flow === undefined) throw new Error('expected a flow')
    return flow
  }
  const difference = async () => Number((await rig.sql('SELECT count(*)::text AS n FROM ((TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a)) d'))[0]?.['n'])
  const written = async () => (await rig.sql('SELECT (SELECT sum(hashtext(t::text || xmin::text)::bigint) FROM a t)::text || (SELECT sum(hashtext(t::text || xmin::text)::bigint) FROM b t)::text AS s'))[0]?.['s']
  return { engine, run, difference, written, mostAsked: () => most }
}

/** `times`: when they were made, as the rows of both sides say. */
const fill = (rig: PgRig, table: string, from: number, to: number, value = "'value ' || n") =>
  rig.sql(`INSERT INTO ${table} SELECT n, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second', ${value} FROM generate_series(${from}, ${to}) n`)

scenario('adopts equal rows without a write, and goes on with deltas', async (rig) => {
  const { run, difference, written, mostAsked } = await prepare(rig)
  for (const table of ['a', 'b']) await fill(rig, table, 1, rows)
  const before = await written()
  expect(await run()).toMatchObject({ outcome: 'succeeded', phase: 'first', links: rows, counts: { adopted: rows, created: 0, updated: 0 } })
  expect(mostAsked()).toBeGreaterThan(above)
  expect(await written()).toBe(before)
  expect(await run()).toMatchObject({ outcome: 'succeeded', phase: 'delta', counts: { read: 0 } })
  await rig.sql(`UPDATE a SET v = 'here', at = now() WHERE id <= 50; UPDATE b SET v = 'there', at = now() WHERE id > ${rows - 50}`)
  expect(await run()).toMatchObject({ outcome: 'succeeded', counts: { updated: 100, conflicts: 0 } })
  expect(await difference()).toBe(0)
  expect(await run({ mode: 'full' })).toMatchObject({ outcome: 'succeeded', phase: 'resync', links: rows, counts: { updated: 0, created: 0, deleted: 0 } })
})

for (const [strategy, winner] of [['source-wins', 'of a'], ['destination-wins', 'of b']] as const) {
  scenario(`copies what one side has and decides what differs: ${strategy}`, async (rig) => {
    const { run, engine, difference } = await prepare(rig, { strategy })
    for (const table of ['a', 'b']) await fill(rig, table, 1, rows)
    await rig.sql(`UPDATE a SET v = 'of a' WHERE id <= 300; UPDATE b SET v = 'of b' WHERE id <= 300`)
    await fill(rig, 'a', rows + 1, rows + 700)
    await fill(rig, 'b', rows + 701, rows + 2_000)
    expect(await run()).toMatchObject({ outcome: 'succeeded', links: rows + 2_000, counts: { adopted: rows - 300, created: 2_000, updated: 300, conflicts: 300 } })
    expect(await difference()).toBe(0)
    expect(await rig.sql('SELECT DISTINCT v FROM a WHERE id <= 300')).toEqual([{ v: winner }])
    expect(engine.archived).toHaveLength(300)
    expect(engine.created.reduce((n, { items }) => n + items.length, 0)).toBe(2_000)
    for (let quiet = 0; quiet < 2; quiet++) expect(await run()).toMatchObject({ outcome: 'succeeded', counts: { created: 0, updated: 0, deleted: 0, conflicts: 0 } })
    expect(await difference()).toBe(0)
  })
}

scenario('fills an empty source, whose own copies are then no news', async (rig) => {
  const { run, difference } = await prepare(rig)
  await fill(rig, 'b', 1, rows)
  expect(await run()).toMatchObject({ outcome: 'succeeded', links: rows, counts: { created: rows } })
  expect(await difference()).toBe(0)
  expect(await run()).toMatchObject({ outcome: 'succeeded', counts: { read: 0 } })
})

scenario('fills an empty destination, and holds what would then empty the source', async (rig) => {
  const { run, difference } = await prepare(rig)
  await fill(rig, 'a', 1, rows)
  expect(await run()).toMatchObject({ outcome: 'succeeded', links: rows, counts: { created: rows } })
  expect(await difference()).toBe(0)
  await rig.sql('DELETE FROM b WHERE id <= 4000')
  const held = await run({ mode: 'full' })
  expect(held).toMatchObject({ outcome: 'held', heldBy: 'mass-delete', movesTotal: 4_000 })
  expect(await rig.sql('SELECT count(*)::text AS n FROM a')).toEqual([{ n: String(rows) }])
  expect(await run({ approved: String(held.plan) })).toMatchObject({ outcome: 'succeeded', links: rows - 4_000, counts: { deleted: 4_000 } })
  expect(await difference()).toBe(0)
})

scenario('between tables without a cursor is compared whole on every run, and deletions are followed', async (rig) => {
  const without = { cursor: undefined }
  const { run, difference } = await prepare(rig, { a: without, b: without })
  for (const table of ['a', 'b']) await fill(rig, table, 1, rows)
  expect(await run()).toMatchObject({ outcome: 'succeeded', counts: { adopted: rows } })
  await rig.sql("DELETE FROM a WHERE id <= 20; DELETE FROM b WHERE id BETWEEN 21 AND 30; UPDATE b SET v = 'there' WHERE id = 100")
  expect(await run()).toMatchObject({ outcome: 'succeeded', links: rows - 30, counts: { deleted: 30, updated: 1 } })
  expect(await difference()).toBe(0)
  expect(await run()).toMatchObject({ outcome: 'succeeded', links: rows - 30, counts: { deleted: 0, updated: 0, created: 0 } })
})

scenario('broken off in the middle is gone on with, and nothing is copied twice', async (rig) => {
  const { run, difference } = await prepare(rig)
  await fill(rig, 'a', 1, rows)
  await fill(rig, 'b', rows - 500, rows + 500)
  await rig.sql("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '57P01'; END $$")
  await rig.sql('CREATE TRIGGER stop AFTER INSERT ON b FOR EACH ROW WHEN (NEW.id = 3000) EXECUTE FUNCTION stop()')
  expect((await run()).outcome).toBe('failed')
  const there = Number((await rig.sql(`SELECT count(*)::text AS n FROM b WHERE id < ${rows - 500}`))[0]?.['n'])
  expect(there).toBeGreaterThan(0)
  expect(there).toBeLessThan(3_000)
  await rig.sql('DROP TRIGGER stop ON b')
  expect(await run()).toMatchObject({ outcome: 'succeeded', links: rows + 500, counts: { created: rows - 501 - there + 500 } })
  expect(await difference()).toBe(0)
})

scenario('with a file of records on the other side lets the later of two records with one id stand', async (rig) => {
  const folder = await temporaryFolder()
  onTestFinished(folder.remove)
  const path = join(folder.path, 'rows.jsonl')
  const line = (n: number, v = `value ${n}`): string => `${JSON.stringify({ id: `n${n}`, v })}\n`
  await writeFile(path, Array.from({ length: 3_000 }, (_, n) => line(n)).join('') + line(7, 'later'))
  await rig.sql("CREATE TABLE t (id text PRIMARY KEY, v text); INSERT INTO t SELECT 'n' || n, 'value ' || n FROM generate_series(2900, 3499) n")
  const sides = {
    source: { ...await openFile('row', { path }, { role: 'source' }), close: async () => undefined },
    destination: { ...await rig.open({ table: rig.table('t') }), close: async () => undefined },
  }
  const engine = engineRig({ flow: { kind: 'row' }, wrap: (name) => sides[name] })
  const run = async () => (await engine.play({}, { ports: { ...engine.ports, pairedAbove: above } })).result.flows[0]
  expect(await run()).toMatchObject({ outcome: 'succeeded', links: 3_500, counts: { adopted: 100, created: 3_400 } })
  expect(await rig.sql("SELECT v FROM t WHERE id = 'n7'")).toEqual([{ v: 'later' }])
  expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(3_501)
  expect(await run()).toMatchObject({ outcome: 'succeeded', counts: { created: 0, updated: 0, deleted: 0, conflicts: 0 } })
})
