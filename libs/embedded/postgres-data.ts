/** Knows how a data directory comes to be, whole or not at all, and where its password is. Does not run the server. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { E, TE } from '#libs/fp.ts'
import { blockedAt, failure, type Account, type Binaries, type PostgresFailure } from './postgres-binaries.ts'

export const user = 'syncline'

/** Nothing of ours: server messages must be English to be understood, times in UTC. */
export const plainEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }

/** Makes the directory if there is none; answers the password of `user`, kept in `<dataDir>.password` (0600). */
export const prepareData = (dataDir: string, account: Account, binaries: Binaries, durable: boolean): TE.TaskEither<PostgresFailure, string> => async () => {
  await makeFolder(dirname(dataDir))
  const blocked = await blockedAt(dirname(dataDir), account)
  if (blocked !== null) {
    return failure('unreachable', `PostgreSQL must not run as root, and the user it would run as (${account?.name}) cannot enter ${blocked} on the way to ${dataDir}; start as an ordinary user, choose another data directory (such as /var/lib/syncline/postgres), or allow it: chmod o+x ${blocked}`)
  }
  const passwordFile = `${dataDir}.password`
  const known = (await readFile(passwordFile, 'utf8').catch(missing))?.trim() ?? ''
  const major = (await readFile(`${dataDir}/PG_VERSION`, 'utf8').catch(missing))?.trim()
  if (major !== undefined) {
    if (major !== binaries.major) return failure('bad-data', `${dataDir} was made by PostgreSQL ${major}, this is ${binaries.major}; dump and restore it, or choose another data directory`)
    return known === '' ? failure('bad-data', `the password of ${dataDir} should be in ${passwordFile}, but is not; bring it back, or delete the data directory to begin anew`) : E.right(known)
  }
  if ((await readdir(dataDir).catch(missing))?.length) return failure('bad-data', `${dataDir} holds something, but no PostgreSQL database; choose another data directory`)
  const password = known === '' ? randomBytes(24).toString('base64url') : known
  await writeFile(passwordFile, password, { mode: 0o600 })
  await chmod(passwordFile, 0o600)
  return makeDatabase(dataDir, account, binaries, password, durable)
}

/** Under another name first, so that a directory of the wanted name is always a whole one. */
const makeDatabase = async (dataDir: string, account: Account, { initdb }: Binaries, password: string, durable: boolean): Promise<E.Either<PostgresFailure, string>> => {
  const [unfinished, secret] = [`${dataDir}.unfinished`, `${dataDir}.initial-password`]
  await rm(unfinished, { recursive: true, force: true })
  await rm(secret, { force: true })
  try {
    await mkdir(unfinished, { mode: 0o700 })
    await writeFile(secret, password, { mode: 0o600, flag: 'wx' })
    if (account !== null) {
      await chown(unfinished, account.uid, account.gid)
      await chown(secret, account.uid, account.gid)
    }
    const said = await run(initdb, [
      '-D', unfinished, '-U', user, `--pwfile=${secret}`, '--auth=scram-sha-256', '--encoding=UTF8',
      // Needs no locale of the operating system, and orders text the same on every machine.
      '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
      ...(durable ? [] : ['--no-sync']),
    ], account, dirname(dataDir))
    if (said !== null) return failure('not-ready', `initdb failed. It said:\n${said}`)
    await rename(unfinished, dataDir)
    return E.right(password)
  } finally {
    await rm(secret, { force: true })
    await rm(unfinished, { recursive: true, force: true })
  }
}

const run = (command: string, options: ReadonlyArray<string>, account: Account, cwd: string): Promise<string | null> =>
  new Promise((resolve) => {
    execFile(command, options, { cwd, env: plainEnvironment, ...(account === null ? {} : { uid: account.uid, gid: account.gid }) }, (error, _, said) => {
      resolve(error === null ? null : `${said.trim().split('\n').slice(-10).join('\n')}\n${said === '' ? error.message : ''}`.trim())
    })
  })

/** Only folders we made get their mode set, whatever the umask. */
const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let at = folder; at.length >= first.length; at = dirname(at)) await chmod(at, 0o755)
}

const missing = (error: unknown): undefined => {
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
  throw error
}

