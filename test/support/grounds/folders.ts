/** Two folders of cards, or of events. One is found by its UID, or by its file's name where it has none. */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { Entry, Ground, Place } from './ground.ts'

type Format = {
  readonly kind: Ground['kind']
  readonly extension: string
  readonly names: Readonly<Record<keyof Entry, string>>
  readonly around: readonly [before: ReadonlyArray<string>, after: ReadonlyArray<string>]
  readonly otherFields: Ground['otherFields']
}

const cards: Format = {
  kind: 'contact', extension: '.vcf', names: { name: 'FN', mail: 'EMAIL', tags: 'CATEGORIES' },
  around: [['BEGIN:VCARD', 'VERSION:4.0'], ['END:VCARD', '']],
  otherFields: { FN: 'FN', EMAIL: 'EMAIL' },
}
const events: Format = {
  kind: 'event', extension: '.ics', names: { name: 'SUMMARY', mail: 'LOCATION', tags: 'CATEGORIES' },
  around: [
    ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//scenario//EN', 'BEGIN:VEVENT', 'DTSTAMP:20260101T000000Z', 'DTSTART:20260101T100000Z'],
    ['END:VEVENT', 'END:VCALENDAR', ''],
  ],
  otherFields: { 'VEVENT/SUMMARY': 'VEVENT/SUMMARY', 'VEVENT/LOCATION': 'VEVENT/LOCATION' },
}

const folders = (format: Format) => async (): Promise<Ground> => {
  const { path, remove } = await temporaryFolder()
  for (const name of ['a', 'b']) await mkdir(join(path, name))
  return {
    connector: fileConnector, kind: format.kind,
    places: [folderOf(join(path, 'a'), format), folderOf(join(path, 'b'), format)],
    side: (name) => ({ provider: 'file', path: join(path, name) }),
    otherFields: format.otherFields,
    folder: { path: (name) => join(path, name), extension: format.extension, nameless: (entry) => textOf(format, null, entry) },
    stop: remove,
  }
}

export const foldersOfCards = folders(cards)
export const foldersOfEvents = folders(events)

const textOf = ({ names, around: [before, after] }: Format, key: string | null, { name, mail, tags }: Entry): string => [
  ...before, ...(key === null ? [] : [`UID:${key}`]), `${names.name}:${name}`,
  ...(mail === undefined ? [] : [`${names.mail}:${mail}`]), ...(tags === undefined ? [] : [`${names.tags}:${tags.join(',')}`]), ...after,
].join('\r\n')

const folderOf = (dir: string, format: Format): Place => {
  const { extension, names: properties } = format
  const all = async () => {
    const names = (await readdir(dir)).filter((name) => name.endsWith(extension))
    return Promise.all(names.map(async (name) => {
      const text = (await readFile(join(dir, name), 'utf8')).replaceAll('\r\n ', '')
      const line = (property: string) => new RegExp(`^${property}:(.*)\r$`, 'm').exec(text)?.[1]
      const [mail, tags] = [line(properties.mail), line(properties.tags)]
      return { name, text, key: line('UID') ?? name, entry: { name: line(properties.name) ?? '', ...(mail === undefined ? {} : { mail }), ...(tags === undefined ? {} : { tags: tags.split(',') }) } }
    }))
  }
  const found = async (key: string) => (await all()).find((one) => one.key === key)
  const fileOf = async (key: string): Promise<string> => join(dir, (await found(key))?.name ?? key)
  return {
    put: async (key, entry) => writeFile(join(dir, (await found(key))?.name ?? `${encodeURIComponent(key).slice(0, 100)}${extension}`), textOf(format, key, entry)),
    remove: async (key) => rm(await fileOf(key)),
    shown: async () => Object.fromEntries((await all()).map(({ key, entry }) => [key, entry])),
    marks: async () => Object.fromEntries(await Promise.all((await all()).map(async ({ name }) => {
      const { ino, mtimeMs } = await stat(join(dir, name))
      return [name, `${ino} ${mtimeMs}`] as const
    }))),
    touch: async (key) => utimes(await fileOf(key), new Date(), new Date(Date.now() + 5_000)),
    rekey: async (key, to) => {
      const one = await found(key)
      if (one !== undefined) await writeFile(join(dir, one.name), one.text.replace(`UID:${key}`, `UID:${to}`))
    },
    move: async (key) => rename(await fileOf(key), join(dir, `moved-${key}${extension}`)),
    twin: async (key, entry) => writeFile(join(dir, `twin-of-${key}${extension}`), textOf(format, key, entry)),
    date: async (key, at) => utimes(await fileOf(key), at, at),
  }
}
