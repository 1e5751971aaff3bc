/**
 * Knows how a relative name reaches a file inside one root and never outside it (SYNC.md S11): names are checked as text,
 * reads are checked after opening, writes go through the opened directory, so that a link swapped in meanwhile wins nothing.
 * Does not know what the files hold. A hard link made inside the root to a file outside cannot be told apart.
 */
import { constants, type BigIntStats } from 'node:fs'
import { lstat, open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { E, TE } from '../../fp.ts'
import { isTemporary } from './atomic-file.ts'

export type JailFault = {
  readonly is: 'bad-name' | 'outside' | 'missing' | 'not-a-file' | 'io'
  readonly name: string
  readonly message: string
  readonly code?: string
}
export type Jail = { readonly root: string }

export const openJail = (root: string): TE.TaskEither<JailFault, Jail> =>
  attempt(root, async () => {
    const real = await realpath(root)
    if (!(await stat(real)).isDirectory()) throw new Refusal('not-a-file', 'the root is no directory')
    return { root: real }
  })

/** Pure: what may be asked for at all. Slashes divide folders; everything else a file system allows is a name. */
export const checkName = (name: string): E.Either<JailFault, ReadonlyArray<string>> => {
  const refused = (message: string) => E.left<JailFault>({ is: 'bad-name', name, message })
  if (name.includes('\0')) return refused('a NUL byte in the name')
  if (!name.isWellFormed()) return refused('the name is not well-formed Unicode')
  if (name.startsWith('/') || /^[A-Za-z]:[\\/]/.test(name)) return refused('an absolute name')
  if (Buffer.byteLength(name) > 4000) return refused('a path longer than 4000 bytes')
  const parts = name.split('/')
  for (const part of parts) {
    if (part === '' || part === '.') return refused('an empty part in the name')
    if (part === '..') return refused('`..` in the name')
    if (Buffer.byteLength(part) > 255) return refused('a name longer than 255 bytes')
    if (isTemporary(part)) return refused('a name kept for unfinished files')
  }
  return E.right(parts)
}

/** Opens for reading; `use` gets the open file and its state, both surely of the file inside the root. */
export const readInJail = <A>(jail: Jail, name: string, use: (file: FileHandle, stats: BigIntStats) => Promise<A>): TE.TaskEither<JailFault, A> =>
  attempt(name, async () => {
    const path = join(jail.root, ...partsOf(name))
    // Without O_NONBLOCK a named pipe would hold the thread until somebody writes to it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    try {
      const stats = await file.stat({ bigint: true })
      await expectInside(jail, path, file)
      if (!stats.isFile()) throw new Refusal('not-a-file', 'is no regular file')
      return await use(file, stats)
    } finally {
      await file.close()
    }
  })

/**
 * A path for libs/connectors/file/atomic-file.ts, valid while `use` runs. On Linux it leads through the open directory
 * itself, so nobody can exchange a folder under it; elsewhere it is the real path.
 */
export const writeInJail = <Fault, A>(jail: Jail, name: string, use: (path: string) => TE.TaskEither<Fault, A>): TE.TaskEither<JailFault | Fault, A> =>
  async () => {
    const opened = await attempt(name, async () => {
      const path = join(jail.root, ...partsOf(name))
      const folder = dirname(path)
      const directory = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK)
      try {
        const real = await expectInside(jail, folder, directory)
        const place = join(process.platform === 'linux' ? `/proc/self/fd/${directory.fd}` : real, basename(path))
        const found = await lstat(place).catch(gone)
        if (found !== null && !found.isFile()) throw new Refusal('not-a-file', 'is no regular file')
        return { directory, place }
      } catch (error) {
        await directory.close()
        throw error
      }
    })()
    if (E.isLeft(opened)) return opened
    const { directory, place } = opened.right
    try {
      return await use(place)()
    } finally {
      await directory.close()
    }
  }

const gone = (error: unknown): null => {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}

const partsOf = (name: string): ReadonlyArray<string> => {
  const checked = checkName(name)
  if (E.isLeft(checked)) throw new Refusal(checked.left.is, checked.left.message)
  return checked.right
}

/**
 * Linux tells where an open file truly is. Asking the path again (realpath, then stat) can be fooled by three swaps in
 * a row, which a test showed within 300 reads; elsewhere it is the best there is.
 */
const expectInside = async (jail: Jail, path: string, file: FileHandle): Promise<string> => {
  const real = process.platform === 'linux' ? await readlink(`/proc/self/fd/${file.fd}`) : await realpath(path)
  if (real !== jail.root && !real.startsWith(jail.root.endsWith(sep) ? jail.root : jail.root + sep)) throw new Refusal('outside', 'leads out of the root')
  if (process.platform === 'linux') return real
  const [found, opened] = [await stat(real), await file.stat()]
  if (found.ino !== opened.ino || found.dev !== opened.dev) throw new Refusal('outside', 'was exchanged while it was opened')
  return real
}

class Refusal extends Error {
  readonly is: JailFault['is']
  constructor(is: JailFault['is'], message: string) {
    super(message)
    this.is = is
  }
}

const attempt = <A>(name: string, run: () => Promise<A>): TE.TaskEither<JailFault, A> =>
  TE.tryCatch(run, (error): JailFault => {
    if (error instanceof Refusal) return { is: error.is, name, message: error.message }
    const code = codeOf(error)
    const is = code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : code === 'ELOOP' ? 'outside' : 'io'
    return { is, name, message: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) }
  })

const codeOf = (error: unknown): string | undefined => (error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined)
