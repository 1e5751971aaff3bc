/**
 * Knows which NATS is meant: a flag, else the environment, else the `syncline up` that runs in this folder or one above
 * it (.syncline/run.json), else the usual address.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { E } from '#libs/fp.ts'
import { readEnv } from '#libs/process/env.ts'
import { natsSettings, type NatsSettings } from '#libs/process/settings.ts'
import type { Globals } from './call.ts'
import { exitCodes } from './exit-codes.ts'
import type { Io } from './io.ts'
import { refusal, type Refusal } from './refusal.ts'

export type Target = {
  readonly nats: NatsSettings
  /** For messages: `--server`, `NATS_URL`, the run file, `the default`. */
  readonly from: string
  /** Of the tracker; undefined where nothing says it. */
  readonly httpUrl: string | undefined
  /** A run file whose process is gone. */
  readonly stale: string | undefined
}

type RunFile = { readonly path: string; readonly natsUrl: string; readonly httpUrl: string | undefined; readonly pid: number; readonly isAlive: boolean }

export const findTarget = ({ env, cwd }: Pick<Io, 'env' | 'cwd'>, flags: Globals): E.Either<Refusal, Target> => {
  const reader = readEnv({
    ...env,
    ...(flags.server === undefined ? {} : { NATS_URL: flags.server }),
    // A way to log in that is named here takes the place of the environment's
    ...(flags.creds === undefined && flags.user === undefined ? {} : { NATS_NKEY_SEED: undefined, NATS_NKEY_FILE: undefined }),
    ...(flags.creds === undefined ? {} : { NATS_CREDS: flags.creds }),
    ...(flags.user === undefined ? {} : { NATS_USER: flags.user }),
    ...(flags.password === undefined ? {} : { NATS_PASSWORD: flags.password }),
    ...(flags.ca === undefined ? {} : { NATS_CA: flags.ca }),
  })
  const settings = natsSettings(reader)
  if (reader.mistakes().length > 0) return E.left(refusal(exitCodes.usage, reader.mistakes().join('; ')))
  const run = findRunFile(cwd)
  const stale = run !== undefined && !run.isAlive ? run.path : undefined
  const httpUrl = readEnv(env).text('SYNCLINE_HTTP_URL') ?? (run?.isAlive === true ? run.httpUrl : undefined)
  if (flags.server !== undefined) return E.right({ nats: settings, from: '--server', httpUrl, stale })
  if (readEnv(env).text('NATS_URL') !== undefined) return E.right({ nats: settings, from: 'NATS_URL', httpUrl, stale })
  if (run?.isAlive === true) return E.right({ nats: { ...settings, servers: [run.natsUrl] }, from: run.path, httpUrl, stale })
  return E.right({ nats: settings, from: 'the default', httpUrl, stale })
}

const findRunFile = (cwd: string): RunFile | undefined => {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, '.syncline', 'run.json')
    const found = existsSync(path) ? readRunFile(path) : undefined
    if (found !== undefined) return found
    if (dirname(folder) === folder) return undefined
  }
}

const readRunFile = (path: string): RunFile | undefined => {
  const read = E.tryCatch(() => JSON.parse(readFileSync(path, 'utf8')) as Partial<RunFile> | null, () => null)
  if (E.isLeft(read) || read.right === null) return undefined
  const { natsUrl, httpUrl, pid } = read.right
  if (typeof natsUrl !== 'string' || typeof pid !== 'number') return undefined
  return { path, natsUrl, httpUrl: typeof httpUrl === 'string' ? httpUrl : undefined, pid, isAlive: isAlive(pid) }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // somebody else's process, but there
  }
}
