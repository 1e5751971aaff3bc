/** Two folders of cards. A card is found by its UID, or by its file's name where it has none. */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { Entry, Ground, Place } from './ground.ts'

export const folders = async (): Promise<Ground> => {
  const { path, remove } = await temporaryFolder()
  for (const name of ['a', 'b']) await mkdir(join(path, name))
  return {
    connector: fileConnector, kind: 'contact', 
    places: [folderOf(join(path, 'a')), folderOf(join(path, 'b'))],
    side: (name) => ({ provider: 'file', path: join(path, name) }),
    otherFields: { FN: 'FN', EMAIL: 'EMAIL' },
    path: (name) => join(path, name),
    stop: remove,
  }
}

export const card = (key: string | null, { name, mail, tags }: Entry): string => [
  'BEGIN:VCARD', 'VERSION:4.0', ...(key === null ? [] : [`UID:${key}`]), `FN:${name}`,
  ...(mail === undefined ? [] : [`EMAIL:${mail}`]), ...(tags === undefined ? [] : [`CATEGORIES:${tags.join(',')}`]), 'END:VCARD', '',
].join('\r\n')

const folderOf = (dir: string): Place => {
  const cards = async () => {
    const names = (await readdir(dir)).filter((name) => name.endsWith('.vcf'))
    return Promise.all(names.map(async (name) => {
      const text = (await readFile(join(dir, name), 'utf8')).replaceAll('\r\n ', '')
      const line = (property: string) => new RegExp(`^${property}:(.*)\r$`, 'm').exec(text)?.[1]
      const [mail, tags] = [line('EMAIL'), line('CATEGORIES')]
      return { name, text, key: line('UID') ?? name, entry: { name: line('FN') ?? '', ...(mail === undefined ? {} : { mail }), ...(tags === undefined ? {} : { tags: tags.split(',') }) } }
    }))
  }
  const found = async (key: string) => (await cards()).find((one) => one.key === key)
  const fileOf = async (key: string): Promise<string> => join(dir, (await found(key))?.name ?? key)
  return {
    put: async (key, entry) => writeFile(join(dir, (await found(key))?.name ?? `${encodeURIComponent(key).slice(0, 100)}.vcf`), card(key, entry)),
    remove: async (key) => rm(await fileOf(key)),
    shown: async () => Object.fromEntries((await cards()).map(({ key, entry }) => [key, entry])),
    marks: async () => Object.fromEntries(await Promise.all((await cards()).map(async ({ name }) => {
      const { ino, mtimeMs } = await stat(join(dir, name))
      return [name, `${ino} ${mtimeMs}`] as const
    }))),
    touch: async (key) => utimes(await fileOf(key), new Date(), new Date(Date.now() + 5_000)),
    rekey: async (key, to) => {
      const one = await found(key)
      if (one !== undefined) await writeFile(join(dir, one.name), one.text.replace(`UID:${key}`, `UID:${to}`))
    },
    move: async (key) => rename(await fileOf(key), join(dir, `moved-${key}.vcf`)),
    twin: async (key, entry) => writeFile(join(dir, `twin-of-${key}.vcf`), card(key, entry)),
    date: async (key, at) => utimes(await fileOf(key), at, at),
  }
}
