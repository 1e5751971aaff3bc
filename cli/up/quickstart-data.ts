/** Knows how the quickstart's data comes into the folder: whole, once. What is there is never touched again. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { E, TE } from '#libs/fp.ts'
import type { Refusal } from '../refusal.ts'
import { failed } from './not-up.ts'

export type Unpacked = { readonly folder: string; readonly config: string; readonly readings: string; readonly isFirst: boolean }

const shipped = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url))
const configName = 'syncline.yaml'

export const unpackQuickstart = (folder: string): TE.TaskEither<Refusal, Unpacked> => async () => {
  const unpacked = { folder, config: join(folder, configName), readings: join(folder, 'meters', 'readings.jsonl') }
  const unfinished = `${folder}.unfinished`
  try {
    const isFirst = !existsSync(folder)
    if (isFirst) {
      // Under another name first: a folder of the wanted name is always a whole one.
      await rm(unfinished, { recursive: true, force: true })
      await copyFolder(join(shipped, 'data'), unfinished)
      await copyFile(join(shipped, configName), join(unfinished, configName))
      await rename(unfinished, folder)
    } else if (!existsSync(unpacked.config)) await copyFile(join(shipped, configName), unpacked.config)
    return E.right({ ...unpacked, isFirst })
  } catch (cause) {
    return E.left(failed(`cannot put the quickstart's data into ${folder}: ${String(cause)}`))
  }
}

/** Modes and times are not taken along: the installation may be read-only, the copy is to be edited. */
const copyFolder = async (from: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const copy = entry.isDirectory() ? copyFolder : copyFile
    await copy(join(from, entry.name), join(to, entry.name))
  }
}

const copyFile = async (from: string, to: string): Promise<void> => {
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, await readFile(from))
}
