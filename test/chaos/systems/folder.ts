/** Knows a folder of cards as its users edit it: each file whole, a new one only where there is none. */
import { link, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nothingDone, type Standing, type System } from './system.ts'

/** Name → inode, time and content: what stood there at one moment. */
export type FolderShot = ReadonlyMap<string, { readonly id: string; readonly standing: Standing }>
export type Folder = System & { readonly shot: () => Promise<FolderShot> }

/**
 * POSIX has no compare-and-swap for a path: between the connector's last look and its rename there are microseconds in which an
 * edit of ours can vanish (libs/connectors/file/atomic-file.ts). What does not stand any more after so long is called unknown.
 */
const settleMs = 80

export const folderOf = (path: string): Folder => {
  mkdirSync(path, { recursive: true })
  let temporaries = 0
  const fileOf = (key: string): string => join(path, `${key}.vcf`)

  const edit: System['edit'] = async (key, value) => {
    const before = await valueIn(fileOf(key))
    if (value === null) {
      if (before === undefined) return nothingDone()
      const done = await unlink(fileOf(key)).then(() => true, () => false)
      return done ? { kind: 'delete', before, result: 'ok' } : nothingDone(before)
    }
    const temporary = join(path, `.client-${(temporaries += 1)}`)
    await writeFile(temporary, card(key, value))
    try {
      if (before === undefined) {
        await link(temporary, fileOf(key))
        await unlink(temporary)
      } else await rename(temporary, fileOf(key))
    } catch {
      await rm(temporary, { force: true })
      return nothingDone(before ?? null)
    }
    await sleep(settleMs)
    return { kind: before === undefined ? 'create' : 'update', before: before ?? null, result: (await valueIn(fileOf(key))) === value ? 'ok' : 'unknown' }
  }

  const shot = async (): Promise<FolderShot> => {
    const found = new Map<string, { readonly id: string; readonly standing: Standing }>()
    for (const name of (await readdir(path)).filter((one) => one.endsWith('.vcf')).sort()) {
      const text = await readFile(join(path, name), 'utf8').catch(() => undefined)
      const stats = await stat(join(path, name), { bigint: true }).catch(() => undefined)
      if (text === undefined || stats === undefined) continue
      found.set(name, { id: `${stats.ino}-${stats.mtimeNs}`, standing: { key: /^UID:(.*)$/m.exec(text)?.[1]?.trim() ?? name, remoteId: name, value: noteIn(text) } })
    }
    return found
  }

  return { kind: 'folder', side: { provider: 'file', path }, edit, shot, all: async () => [...(await shot()).values()].map(({ standing }) => standing) }
}

const card = (key: string, value: string): string => `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${key}\r\nFN:Person ${key}\r\nNOTE:${value}\r\nEND:VCARD\r\n`
const noteIn = (text: string): string | null => /^NOTE:(.*)$/m.exec(text)?.[1]?.trim() ?? null
/** undefined: no such file. */
const valueIn = (file: string): Promise<string | null | undefined> => readFile(file, 'utf8').then(noteIn, () => undefined)
