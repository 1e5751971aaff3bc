/** Two files of records, which those who edit them write anew as a whole: every edit makes a rewritten file. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { Entry, Ground, Place } from './ground.ts'

type Records = ReadonlyMap<string, Entry>
type Format = {
  readonly extension: string
  readonly header: ReadonlyArray<string>
  readonly read: (line: string) => readonly [key: string, entry: Entry]
  readonly write: (key: string, entry: Entry) => string
  /** Says the same in other words. */
  readonly reworded: (text: string, key: string) => string
}

const jsonLines: Format = {
  extension: '.jsonl',
  header: [],
  read: (line) => {
    const { id, ...entry } = JSON.parse(line) as Entry & { readonly id: string }
    return [id, entry]
  },
  write: (id, entry) => JSON.stringify({ id, ...entry }),
  reworded: (text, key) => text.replace(`{"id":"${key}"`, `{ "id":"${key}"`),
}

const quoted = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const comma: Format = {
  extension: '.csv',
  header: ['id,name,mail'],
  read: (line) => {
    const [id = '', name = '', mail = ''] = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, inQuotes, plain]) => inQuotes?.replaceAll('""', '"') ?? plain ?? '')
    return [id, { name, ...(mail === '' ? {} : { mail }) }]
  },
  write: (id, { name, mail = '' }) => [id, name, mail].map(quoted).join(','),
  reworded: (text, key) => text.replace(new RegExp(`^${key},`, 'm'), `"${key}",`),
}

const fileOf = ({ header, write }: Format, records: Records): string => [...header, ...[...records].map(([key, entry]) => write(key, entry))].map((line) => `${line}\n`).join('')

const files = (format: Format) => async (): Promise<Ground> => {
  const { path, remove } = await temporaryFolder()
  const at = (name: 'a' | 'b'): string => join(path, `${name}${format.extension}`)
  for (const name of ['a', 'b'] as const) await writeFile(at(name), fileOf(format, new Map()))
  return {
    connector: fileConnector, kind: 'row',
    places: [recordsOf(at('a'), format), recordsOf(at('b'), format)],
    side: (name) => ({ provider: 'file', path: at(name) }),
    otherFields: { id: 'id', name: 'name', mail: 'mail' },
    stop: remove,
  }
}

export const filesOfJsonLines = files(jsonLines)
export const filesOfCsv = files(comma)

const recordsOf = (path: string, format: Format): Place => {
  const lines = async (): Promise<ReadonlyArray<string>> => (await readFile(path, 'utf8')).split('\n').slice(format.header.length).filter((line) => line !== '')
  const all = async (): Promise<Records> => new Map((await lines()).map(format.read))
  const edit = async (change: (records: Map<string, Entry>) => void): Promise<void> => {
    const records = new Map(await all())
    change(records)
    await writeFile(path, fileOf(format, records))
  }
  return {
    put: (key, entry) => edit((records) => void records.set(key, entry)),
    remove: (key) => edit((records) => void records.delete(key)),
    shown: async () => Object.fromEntries(await all()),
    marks: async () => Object.fromEntries((await lines()).map((line) => [format.read(line)[0], line])),
    touch: async (key) => writeFile(path, format.reworded(await readFile(path, 'utf8'), key)),
    rekey: (key, to) => edit((records) => {
      records.set(to, records.get(key) ?? { name: '' })
      records.delete(key)
    }),
  }
}
