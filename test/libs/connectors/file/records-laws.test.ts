import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fields } from '#libs/domain/record.ts'
import { formatCsvRow } from '#libs/formats/csv.ts'
import { formatJsonLine } from '#libs/formats/jsonl.ts'
import { connectorLaws, type LawItem, type LawRig } from '../../../laws/connector.laws.ts'
import { readAll } from '../../../laws/law-rig.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { openSide } from './open-side.ts'

const sample = (n: number, edition = 0): LawItem =>
  ({ key: `id-${n}`, fields: { id: `id-${n}`, name: `Zoë, "${n}"`, value: `${edition}.50`, note: n % 2 === 0 ? null : `line\nbreak${'e'.repeat(edition)}` } })

const odd = ['ключ', 'with space', 'a/b', 'a%2Fb', '..', 'Case', 'case', '"quoted"', 'a,b', '__proto__', 'x'.repeat(500)]
  .map((id): LawItem => ({ key: id, fields: { id, name: 'n', value: '1', note: null } }))

const formats = {
  jsonl: { head: '', line: (fields: Fields) => formatJsonLine(fields), poison: { ...sample(9).fields, id: 'another' } },
  csv: { head: 'id,name,value,note\n', line: (fields: Fields) => formatCsvRow(['id', 'name', 'value', 'note'].map((name) => fields[name] ?? null)), poison: { ...sample(9).fields, surplus: 'x' } },
} as const

/** Somebody appends to the file, or writes it anew each time. */
const rig = (format: keyof typeof formats, habit: 'appends' | 'rewrites') => async (): Promise<LawRig> => {
  const { path, remove } = await temporaryFolder()
  const { head, line, poison } = formats[format]
  const file = join(path, `records.${format}`)
  await writeFile(file, head)
  const open = () => openSide('row', { path: file })
  const side = await open()
  const held = async () => new Map((await readAll(await open())).items.map((item) => [item.key, item.fields]))
  const rewrite = (records: ReadonlyMap<string, Fields>) => writeFile(file, head + [...records.values()].map((fields) => `${line(fields)}\n`).join(''))
  return {
    side,
    reopen: open,
    sample,
    put: async (item) => (habit === 'appends' ? appendFile(file, `${line(item.fields)}\n`) : rewrite((await held()).set(item.key, item.fields))),
    remove: async (key) => {
      const records = await held()
      records.delete(key)
      await rewrite(records)
    },
    spoil: () => appendFile(file, 'this is, "no record\n'),
    loseCursors: async () => rewrite(new Map([...(await held())].reverse())),
    odd,
    poison: { key: sample(9).key, fields: poison },
    dispose: async () => {
      await side.close()
      await remove()
    },
  }
}

connectorLaws('a .jsonl file that grows', rig('jsonl', 'appends'))
connectorLaws('a .jsonl file that is rewritten', rig('jsonl', 'rewrites'))
connectorLaws('a .csv file that grows', rig('csv', 'appends'))
connectorLaws('a .csv file that is rewritten', rig('csv', 'rewrites'))
