/**
 * Knows the servers that an earlier `syncline up` in this folder left behind: after kill -9 they are on their way out for
 * a moment, and two servers on one store would ruin it. Call it only while holding the claim on the folder.
 */
import { readFile } from 'node:fs/promises'
import type { Clock } from '#libs/clock.ts'
import { E, TE } from '#libs/fp.ts'
import { commandOf, identify, isAlive } from './processes.ts'
import type { Refusal } from '../refusal.ts'
import { busy } from './not-up.ts'

export type Leftover = {
  readonly what: string
  /** Its first line is the pid. */
  readonly pidFile: string
  /** Stands in the command line of ours and of no one else's: a path in the folder. */
  readonly mark: string
  readonly signal: 'SIGTERM' | 'SIGINT'
}

/** A server that nobody asked to end is asked after the first; beyond the second we give up. */
const askAfterMs = 2_000
const giveUpAfterMs = 20_000
const lookEveryMs = 25

export const outlive = (clock: Pick<Clock, 'monotonic' | 'sleep'>) => ({ what, pidFile, mark, signal }: Leftover): TE.TaskEither<Refusal, void> => async () => {
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!Number.isInteger(pid) || pid < 2) return E.right(undefined)
  const earlier = await identify(pid)
  const isOurs = async (): Promise<boolean> => (await isAlive(earlier)) && (await commandOf(pid)).includes(mark)
  const startedAt = clock.monotonic()
  for (let asked = false; await isOurs(); await clock.sleep(lookEveryMs)) {
    const waitedMs = clock.monotonic() - startedAt
    if (waitedMs > giveUpAfterMs) return E.left(busy(`${what} of an earlier start (process ${pid}) does not end`, `end it: kill ${pid}`))
    if (waitedMs > askAfterMs && !asked) {
      asked = true
      process.kill(pid, signal)
    }
  }
  return E.right(undefined)
}
