/** Knows where a side's path really leads, and that it lies inside its root. Does not know what is kept there. */
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve, sep } from 'node:path'
import { E, TE } from '../../fp.ts'
import { needsPerson, type SyncFailure } from '../../domain/failure.ts'
import { failureOf, failureOfError } from './faults.ts'
import { openJail, type Jail } from './jail.ts'
import { isFolder, type FileOptions } from './options.ts'

export type Place = {
  /** The folder of the items, or the one the records file is in. */
  readonly jail: Jail
  /** The records file; empty for a folder. */
  readonly name: string
  /** Links resolved: two paths to the same thing are one place. */
  readonly real: string
  /** As the person wrote it, for messages. */
  readonly told: string
}

export const openPlace = (options: FileOptions): TE.TaskEither<SyncFailure, Place> => async () => {
  const wantsFolder = isFolder(options.format)
  const told = `${wantsFolder ? 'folder' : 'file'} ${options.path}`
  try {
    const real = await realpath(resolve(options.root ?? '.', options.path))
    if (options.root !== undefined && !isInside(await realpath(options.root), real)) {
      return E.left(needsPerson(`${told} lies outside the root ${options.root}`, 'move it inside, or correct `path`'))
    }
    const isDirectory = (await stat(real)).isDirectory()
    if (wantsFolder && !isDirectory) return E.left(needsPerson(`${told} is not a folder`, `name the folder that holds the .${options.format} files`))
    if (!wantsFolder && isDirectory) return E.left(needsPerson(`${told} is a folder`, `name the .${options.format} file in it`))
    const jail = await openJail(wantsFolder ? real : dirname(real))()
    if (E.isLeft(jail)) return E.left(failureOf(jail.left, told))
    return E.right({ jail: jail.right, name: wantsFolder ? '' : basename(real), real, told })
  } catch (error) {
    return E.left(failureOfError(error, told))
  }
}

const isInside = (root: string, path: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
