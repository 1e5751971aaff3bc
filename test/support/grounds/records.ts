/** Two .jsonl files, which those who edit them write anew as a whole: every edit makes a rewritten file. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { Entry, Ground, Place } from './ground.ts'

export const records = async (): Promise<Ground> => {
  const { path, remove } = await temporaryFolder()
  const fileOf = (name: 'a' | 'b'): string => join(path, `${name}.jsonl`)
  for (const name of ['a', 'b'] as const) await writeFile(fileOf(name), '')
  return {
    connector: fileConnector, kind: 'row', 
    places: [recordsOf(fileOf('a')), recordsOf(fileOf('b'))],
    side: (name) => ({ provider: 'file', path: fileOf(name) }),
    otherFields: { id: 'id', name: 'name', mail: 'mail' },
    path: fileOf,
    stop: remove,
  }
}

const recordsOf = (path: string): Place => {
  const lines = async (): Promise<Map<string, string>> => {
    const texts = (await readFile(path, 'utf8')).split('\n').filter((text) => text !== '')
    return new Map(texts.map((text) => [(JSON.parse(text) as { readonly id: string }).id, text]))
  }
  const edit = async (change: (all: Map<string, string>) => void): Promise<void> => {
    const all = await lines()
    change(all)
    await writeFile(path, [...all.values()].map((text) => `${text}\n`).join(''))
  }
  return {
    put: (key, entry) => edit((all) => void all.set(key, JSON.stringify({ id: key, ...entry }))),
    remove: (key) => edit((all) => void all.delete(key)),
    shown: async () => Object.fromEntries([...(await lines())].map(([key, text]) => {
      const { id: _, ...entry } = JSON.parse(text) as Entry & { readonly id: string }
      return [key, entry]
    })),
    marks: async () => Object.fromEntries(await lines()),
    // With a space more: a record's version is its text.
    touch: (key) => edit((all) => void all.set(key, (all.get(key) ?? '').replace('{', '{ '))),
    rekey: (key, to) => edit((all) => void all.set(key, (all.get(key) ?? '').replace(`"id":"${key}"`, `"id":"${to}"`))),
  }
}
