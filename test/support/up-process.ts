/** Knows `syncline up` as a person starts it, in a folder of its own; and every process that it starts in turn. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './processes.ts'

const root = join(import.meta.dirname, '../..')

export type UpProcess = {
  readonly pid: number
  readonly output: () => string
  readonly httpUrl: string
  /** From the start until it was ready. */
  readonly tookMs: number
  /** Itself and all below it, now. */
  readonly family: () => Promise<ReadonlyArray<number>>
  /** Sends the signal and waits for the end. */
  readonly end: (signal: NodeJS.Signals) => Promise<{ readonly code: number | null; readonly tookMs: number }>
}

/** A folder that PostgreSQL may enter also when we are root. */
export const upFolder = async (): Promise<{ readonly dir: string; readonly remove: () => Promise<void> }> => {
  const parent = await mkdtemp(join(tmpdir(), 'syncline-up-'))
  await chmod(parent, 0o711)
  return { dir: join(parent, 'state'), remove: () => rm(parent, { recursive: true, force: true }) }
}

/** Ready when it has written run.json. */
export const startUp = async (dir: string, ...args: ReadonlyArray<string>): Promise<UpProcess> => {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [join(root, 'bin/syncline.mjs'), 'up', '--dir', dir, '--port', 'auto', '--http-port', '0', ...args], {
    cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const pid = child.pid ?? 0
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  let run: { readonly pid?: number; readonly httpUrl?: string } = {}
  await until('it is up', async () => {
    if (hasEnded()) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}:\n${output}`)
    run = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8').catch(() => '{}')) as typeof run
    return run.pid === pid
  })
  return {
    pid,
    output: () => output,
    httpUrl: run.httpUrl ?? '',
    tookMs: performance.now() - startedAt,
    family: () => familyOf(pid),
    end: async (signal) => {
      const endAt = performance.now()
      const ended = once(child, 'exit')
      if (!hasEnded()) child.kill(signal)
      if (!hasEnded()) await ended
      return { code: child.exitCode, tookMs: performance.now() - endAt }
    },
  }
}

/** Parents from /proc: the field behind the state, which stands behind the name in brackets. */
const familyOf = async (first: number): Promise<ReadonlyArray<number>> => {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '') : ''
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state !== undefined && state !== '' && state !== 'Z') parents.set(Number(entry), Number(parent))
  }
  const family = parents.has(first) ? [first] : []
  for (const one of family) for (const [pid, parent] of parents) if (parent === one) family.push(pid)
  return family
}

export const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
