import type { LawItem } from '../../../laws/connector.laws.ts'
import { connectorLaws } from '../../../laws/connector.laws.ts'
import { pgFile } from './pg-rig.ts'

const newRig = pgFile()
const fields = ['name', 'amount', 'at', 'note']

const setUp = async (key: 'single' | 'composite', options: { readonly [option: string]: unknown } = {}) => {
  const rig = await newRig()
  const id = key === 'single' ? 'id text COLLATE "C" PRIMARY KEY' : 'a bigint, b text, PRIMARY KEY (a, b)'
  await rig.sql(`CREATE TABLE items (${id}, name text NOT NULL CHECK (name <> 'poison'), amount numeric(12, 2), at timestamptz, note text,
    changed bigint NOT NULL, gone timestamptz)`)
  await rig.sql(`CREATE SEQUENCE changes`)
  await rig.sql(`CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed := nextval('${rig.table('changes')}'); RETURN NEW; END $$`)
  await rig.sql(`CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch()`)
  await rig.sql('CREATE INDEX ON items (changed)')
  const open = () => rig.open({ table: rig.table('items'), ...options }, { fields })
  const parts = (of: string): ReadonlyArray<string> => (key === 'single' ? [of] : (JSON.parse(of) as ReadonlyArray<string>))
  const where = key === 'single' ? 'id = $1' : 'a = $1 AND b = $2'
  const names = key === 'single' ? 'id' : 'a, b'
  const sample = (n: number, edition = 0): LawItem => ({
    key: key === 'single' ? `item ${n}` : JSON.stringify([String(2n ** 53n + BigInt(n)), `b "${n}"`]),
    fields: { name: `n${n}\t"${edition}"\\`, amount: edition % 2 === 0 ? '10.50' : null, at: '2026-01-01 00:00:00.123456+00', note: edition === 0 ? null : 'ä\n€' },
  })
  return {
    side: await open(), reopen: open, sample,
    put: async (item: LawItem) => {
      const values = [...parts(item.key), ...fields.map((name) => item.fields[name])]
      await rig.sql(`INSERT INTO items (${names}, ${fields.join(', ')}) VALUES (${values.map((_, n) => `$${n + 1}`).join(', ')})
        ON CONFLICT (${names}) DO UPDATE SET ${fields.map((name) => `${name} = excluded.${name}`).join(', ')}, gone = NULL`, values)
    },
    remove: async (of: string) => {
      await rig.sql(options['softDelete'] === undefined ? `DELETE FROM items WHERE ${where}` : `UPDATE items SET gone = now() WHERE ${where}`, parts(of))
    },
    poison: { key: sample(50).key, fields: { ...sample(50).fields, name: 'poison' } },
    ...(key === 'single' ? { odd: ['ж', 'a b', 'a/b', '%', '..', 'Case', 'case', 'x'.repeat(500), "'; --", '\\N', '\\.', '"q"', '[1,2]'].map((name) => ({ ...sample(0), key: name })) } : {}),
    secrets: [new URL(rig.url).password].filter((secret) => secret !== ''),
    dispose: rig.dispose,
  }
}

connectorLaws('postgres with a cursor', () => setUp('single', { cursor: 'changed' }))
connectorLaws('postgres with a cursor and a mark of deletion, by two columns', () => setUp('composite', { cursor: 'changed', softDelete: 'gone' }))
connectorLaws('postgres without a cursor', () => setUp('single'))
connectorLaws('postgres with a sweep', () => setUp('composite', { cursor: 'changed', sweep: true }))
