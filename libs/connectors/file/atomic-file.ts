/**
 * Knows how a file is created, replaced and removed whole or not at all, also across a power cut (SYNC.md S11).
 * Does not know roots or names: paths come from jail.ts. POSIX has no compare-and-swap for a path: `replaceIf` and
 * `removeIf` look right before they act, so a foreign program has microseconds to slip in between; our own writers are
 * kept apart by the lease. A foreign edit in place, of equal size and within one clock tick (≤ 4 ms) of ours, is not seen.
 */
import { randomUUID } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { link, lstat, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { O, TE } from '../../fp.ts'

export type FileFault = {
  /** `missing`, `exists` and `changed` mean the precondition failed; `not-a-file` a directory, link or device. */
  readonly is: 'missing' | 'exists' | 'changed' | 'not-a-file' | 'io'
  readonly path: string
  readonly message: string
  /** errno name, such as ENOSPC. */
  readonly code?: string
}

const temporaryPrefix = '.syncline-tmp-'
export const isTemporary = (name: string): boolean => name.startsWith(temporaryPrefix)

/** None when there is nothing. */
export const versionOf = (path: string): TE.TaskEither<FileFault, O.Option<string>> =>
  attempt(path, async () => {
    const found = await statOf(path)
    return found === null ? O.none : O.some(versionFrom(found))
  })

/** `mtimeNs-size-inode`; renaming keeps all three. For those who hold the open file anyway. */
export const versionFrom = (stats: { readonly mtimeNs: bigint | string; readonly size: bigint | number; readonly ino: bigint | string }): string => `${stats.mtimeNs}-${stats.size}-${stats.ino}`

/** Whatever was there. Answers the new version. */
export const writeAtomically = (path: string, bytes: Uint8Array): TE.TaskEither<FileFault, string> =>
  attempt(path, async () => whole(path, bytes, await statOf(path), (temporary) => rename(temporary, path)))

/** Fails with `exists` when there is anything, even a dangling link. */
export const createExclusively = (path: string, bytes: Uint8Array): TE.TaskEither<FileFault, string> =>
  attempt(path, () => whole(path, bytes, null, async (temporary) => {
    await link(temporary, path)
    await unlink(temporary)
  }))

export const replaceIf = (path: string, expected: string, bytes: Uint8Array): TE.TaskEither<FileFault, string> =>
  attempt(path, async () => {
    const before = await expectVersion(path, expected)
    return whole(path, bytes, before, async (temporary) => {
      await expectVersion(path, expected)
      await rename(temporary, path)
    })
  })

export const removeIf = (path: string, expected: string): TE.TaskEither<FileFault, void> =>
  attempt(path, async () => {
    await expectVersion(path, expected)
    await unlink(path)
    await syncDirectory(dirname(path))
  })

/** Removes what crashed writers left in a directory, once it is too old to belong to a living one. Answers how many. */
export const sweepTemporaries = (directory: string, now: number, olderThanMs = 3_600_000): TE.TaskEither<FileFault, number> =>
  attempt(directory, async () => {
    let swept = 0
    for (const name of await readdir(directory)) {
      if (!isTemporary(name)) continue
      const path = join(directory, name)
      const found = await lstat(path).catch(gone)
      if (found === null || !found.isFile() || now - found.mtimeMs < olderThanMs) continue
      await unlink(path).catch(gone)
      swept += 1
    }
    return swept
  })

/** Writes beside the target, makes the bytes durable, lets `publish` give them their name, makes the name durable. */
const whole = async (path: string, bytes: Uint8Array, before: BigIntStats | null, publish: (temporary: string) => Promise<void>): Promise<string> => {
  const temporary = join(dirname(path), temporaryPrefix + randomUUID())
  try {
    const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, before === null ? 0o666 : 0o600)
    let version: string
    try {
      await file.writeFile(bytes)
      if (before !== null) {
        // Only root may give a file away; anyone else's replacement becomes their own.
        await file.chown(Number(before.uid), Number(before.gid)).catch(() => undefined)
        await file.chmod(Number(before.mode & 0o777n))
      }
      await file.sync()
      version = versionFrom(await file.stat({ bigint: true }))
    } finally {
      await file.close()
    }
    await publish(temporary)
    await syncDirectory(dirname(path))
    return version
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  await handle.sync().finally(() => handle.close())
}

const statOf = async (path: string): Promise<BigIntStats | null> => {
  const found = await lstat(path, { bigint: true }).catch(gone)
  if (found !== null && !found.isFile()) throw new Refusal('not-a-file', 'is no regular file')
  return found
}

const expectVersion = async (path: string, expected: string): Promise<BigIntStats> => {
  const found = await statOf(path)
  if (found === null) throw new Refusal('missing', 'is not there any more')
  if (versionFrom(found) !== expected) throw new Refusal('changed', 'was changed by someone else')
  return found
}

const gone = (error: unknown): null => {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}

class Refusal extends Error {
  readonly is: FileFault['is']
  constructor(is: FileFault['is'], message: string) {
    super(message)
    this.is = is
  }
}

const attempt = <A>(path: string, run: () => Promise<A>): TE.TaskEither<FileFault, A> =>
  TE.tryCatch(run, (error): FileFault => {
    if (error instanceof Refusal) return { is: error.is, path, message: error.message }
    const code = codeOf(error)
    const is = code === 'EEXIST' ? 'exists' : code === 'ENOENT' ? 'missing' : 'io'
    return { is, path, message: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) }
  })

const codeOf = (error: unknown): string | undefined => (error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined)
