/**
 * Knows that one folder belongs to one running `syncline up`, and how others find it (run.json). A claim left by a killed
 * process is recognised and taken over. Does not know what is kept in the folder.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { E, TE } from '#libs/fp.ts'
import { identify, isAlive, type ProcessId } from './processes.ts'
import type { Refusal } from '../refusal.ts'
import { busy, failed } from './not-up.ts'

/** run.json: for people and scripts. Times as RFC 3339. */
export type RunFile = { readonly pid: number; readonly natsUrl: string; readonly httpUrl: string; readonly startedAt: string }

export type Claim = {
  /** The process that had it before was killed. */
  readonly wasCutOff: boolean
  /** Once everything is up. */
  readonly tell: (run: RunFile) => Promise<void>
  readonly release: () => Promise<void>
}

const lockName = 'up.lock'
const runName = 'run.json'
/** Between the making of a lock and the writing of its content. */
const youngMs = 5_000

export const claimFolder = (dir: string): TE.TaskEither<Refusal, Claim> => async () => {
  const [lock, run] = [join(dir, lockName), join(dir, runName)]
  try {
    await mkdir(dir, { recursive: true })
    const me = await identify(process.pid)
    let wasCutOff = false
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (await isMade(lock, JSON.stringify(me))) {
        await rm(run, { force: true })
        return E.right({
          wasCutOff,
          tell: (facts) => writeWhole(run, `${JSON.stringify(facts, null, 2)}\n`),
          release: async () => {
            await rm(run, { force: true })
            await rm(lock, { force: true })
          },
        })
      }
      const holder = await holderOf(lock)
      if (holder === 'unknown' || (holder !== undefined && (await isAlive(holder)))) return E.left(await inUse(dir, run, holder))
      await giveUpStale(lock)
      wasCutOff = holder !== undefined
    }
    return E.left(busy(`several starts at once want ${dir}`, 'start it again'))
  } catch (cause) {
    return E.left(failed(`cannot use the folder ${dir}: ${cause instanceof Error ? cause.message : String(cause)}`, 'choose another with --dir'))
  }
}

const isMade = async (path: string, text: string): Promise<boolean> => {
  try {
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** undefined: nobody's. `unknown`: somebody is just writing it. */
const holderOf = async (lock: string): Promise<ProcessId | 'unknown' | undefined> => {
  const text = await readFile(lock, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const found = E.tryCatch(() => JSON.parse(text) as Partial<ProcessId> | null, () => null)
  if (E.isRight(found) && typeof found.right?.pid === 'number' && typeof found.right.mark === 'string') return { pid: found.right.pid, mark: found.right.mark }
  const made = await stat(lock).catch(() => undefined)
  return made !== undefined && Date.now() - made.mtimeMs < youngMs ? 'unknown' : undefined
}

/** Moved away first, and looked at again: another start may have taken the stale one's place in between. */
const giveUpStale = async (lock: string): Promise<void> => {
  const aside = `${lock}.${process.pid}`
  await rename(lock, aside).catch(() => undefined)
  const was = await holderOf(aside)
  if (was !== undefined && was !== 'unknown' && (await isAlive(was))) await isMade(lock, JSON.stringify(was))
  await rm(aside, { force: true })
}

const inUse = async (dir: string, run: string, holder: ProcessId | 'unknown'): Promise<Refusal> => {
  const facts = await readRunFile(run)
  const who = holder === 'unknown' ? '' : ` (process ${holder.pid}${facts === undefined ? '' : `, since ${facts.startedAt}`})`
  const where = facts === undefined ? '' : `: NATS at ${facts.natsUrl}, HTTP at ${facts.httpUrl}`
  return busy(`syncline is already running in ${dir}${who}${where}`, 'use that one, end it with Ctrl-C in its terminal, or choose another folder with --dir')
}

const readRunFile = async (run: string): Promise<RunFile | undefined> => {
  const text = await readFile(run, 'utf8').catch(() => '')
  const facts = E.tryCatch(() => JSON.parse(text) as Partial<RunFile> | null, () => null)
  if (E.isLeft(facts) || facts.right === null) return undefined
  const { pid, natsUrl, httpUrl, startedAt } = facts.right
  return pid === undefined || natsUrl === undefined || httpUrl === undefined || startedAt === undefined ? undefined : { pid, natsUrl, httpUrl, startedAt }
}

const writeWhole = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
