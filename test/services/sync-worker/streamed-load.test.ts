/** A first sync between two tables: pages that cross as they are, pages that cannot, and the runs after it see no difference. */
import { expect, it } from 'vitest'
import type { Side } from '#libs/connectors/connector.ts'
import { pgFile, withPg, type PgRig } from '../../libs/connectors/postgres/pg-rig.ts'
import { engineRig } from '../../support/engine-rig.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig) => Promise<void>) => it(says, withPg(newRig, body))
const rows = 2_500

const prepare = async (rig: PgRig) => {
  await rig.sql('CREATE TABLE a (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), v text); CREATE TABLE b (LIKE a INCLUDING ALL)')
  await rig.sql(`INSERT INTO a SELECT n, now() - interval '1 hour', 'value ' || n FROM generate_series(1, ${rows}) n`)
  const loads: Array<boolean> = []
  const open = async (name: 'a' | 'b'): Promise<Side> => rig.open({ table: rig.table(name), cursor: 'at' }, { role: name === 'a' ? 'source' : 'destination' })
  const [a, b] = [await open('a'), await open('b')]
  const { ledger } = b
  if (ledger?.load === undefined) throw new Error('expected a ledger that loads')
  const { load } = ledger
  const watched: Side = { ...b, close: async () => undefined, ledger: { ...ledger, load: (asked, signal) => async () => {
    const done = await load(asked, signal)()
    loads.push(done._tag === 'Right' && done.right)
    return done
  } } }
  const sides = { source: { ...a, close: async () => undefined }, destination: watched }
  const engine = engineRig({ flow: { direction: 'one-way', kind: 'row' }, wrap: (name) => sides[name] })
  const difference = async () => Number((await rig.sql('SELECT count(*)::text AS n FROM ((TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a)) d'))[0]?.['n'])
  return { engine, loads, difference }
}

scenario('into an empty table crosses as it is, and the next runs are quiet', async (rig) => {
  const { engine, loads, difference } = await prepare(rig)
  const first = await engine.sync()
  expect(first.flows[0]).toMatchObject({ outcome: 'succeeded', links: rows, counts: { read: rows, created: rows, unchanged: 0 } })
  expect(loads).toEqual([true, true])
  expect(await difference()).toBe(0)
  const written = await rig.sql('SELECT sum(hashtext(t::text || xmin::text)::bigint)::text FROM b t')
  const second = await engine.sync()
  expect(second.flows[0]).toMatchObject({ outcome: 'succeeded', phase: 'delta', links: rows, counts: { read: 0, created: 0 } })
  expect((await engine.sync({ mode: 'full' })).flows[0]).toMatchObject({ outcome: 'succeeded', counts: { created: 0, updated: 0, unchanged: rows } })
  expect(await rig.sql('SELECT sum(hashtext(t::text || xmin::text)::bigint)::text FROM b t')).toEqual(written)
})

scenario('is followed by edits and deletes like any other', async (rig) => {
  const { engine, difference } = await prepare(rig)
  await engine.sync()
  await rig.sql(`UPDATE a SET v = 'edited', at = now() WHERE id % 100 = 0`)
  expect((await engine.sync()).flows[0]).toMatchObject({ outcome: 'succeeded', counts: { updated: rows / 100, created: 0, conflicts: 0 } })
  expect(engine.archived.map(({ fields }) => fields['v'])).toContain('value 100')
  await rig.sql('DELETE FROM a WHERE id <= 20')
  expect((await engine.sync({ mode: 'full' })).flows[0]).toMatchObject({ outcome: 'succeeded', counts: { deleted: 20 }, links: rows - 20 })
  expect(await difference()).toBe(0)
})

scenario('with a poison row and a row that is there crosses but for the one, which is parked', async (rig) => {
  const { engine, loads, difference } = await prepare(rig)
  await rig.sql(`ALTER TABLE b ADD CHECK (id <> 7); INSERT INTO b SELECT * FROM a WHERE id = 2000; INSERT INTO b VALUES (11, now(), 'theirs')`)
  const { counts, outcome } = (await engine.sync()).flows[0] ?? {}
  expect(outcome).toBe('partial')
  expect(counts).toMatchObject({ read: rows, adopted: 1, parked: 1, created: rows - 3, conflicts: 1 })
  expect(loads).toEqual([false])
  expect(engine.parked.map(({ key }) => key)).toEqual(['7'])
  expect(engine.archived.map(({ key, fields }) => [key, fields['v']])).toEqual([['11', 'theirs']])
  expect(await difference()).toBe(1)
})

scenario('broken off after a page goes on behind it', async (rig) => {
  const { engine, loads, difference } = await prepare(rig)
  await rig.sql('CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \'not now\' USING ERRCODE = \'57P01\'; END $$')
  await rig.sql('CREATE TRIGGER stop AFTER INSERT ON b FOR EACH ROW WHEN (NEW.id > 1000) EXECUTE FUNCTION stop()')
  expect((await engine.sync()).flows[0]?.outcome).toBe('failed')
  expect((await rig.sql('SELECT count(*)::text AS n FROM b'))[0]?.['n']).toBe('1000')
  expect(loads).toEqual([true, false])
  await rig.sql('DROP TRIGGER stop ON b')
  expect((await engine.sync()).flows[0]).toMatchObject({ outcome: 'succeeded', counts: { read: rows - 1000, created: rows - 1000 }, links: rows })
  expect(await difference()).toBe(0)
})
