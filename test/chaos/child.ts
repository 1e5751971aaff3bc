/** Knows one process of the system under test: its start, its log lines, its death by signal. Does not know what it does. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { monotonic, type HistoryRecord } from './history.ts'

export type Child = {
  readonly name: string
  readonly pid: number
  readonly isAlive: () => boolean
  readonly signal: (signal: NodeJS.Signals) => void
  /** SIGKILL, and waits for the end. */
  readonly kill: () => Promise<void>
  /** The last lines it said, for a rig that failed. */
  readonly tail: () => string
}

export type ChildOptions = {
  /** Name in the history. */
  readonly name: string
  /** Path below the repository's root. */
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  readonly record: (record: HistoryRecord) => void
  readonly readyWithinMs: number
}

const root = join(import.meta.dirname, '../..')
const keptLines = 60

export const startChild = async ({ name, script, env, record, readyWithinMs }: ChildOptions): Promise<Child> => {
  const child = spawn(process.execPath, [script], { cwd: root, env: { PATH: process.env['PATH'] ?? '', SYNCLINE_LOG_LEVEL: 'info', SYNCLINE_LOG_FORMAT: 'json', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const pid = child.pid ?? 0
  const tail: Array<string> = []
  let isMeant = false
  const ready = Promise.withResolvers<void>()
  const take = (line: string): void => {
    tail.push(line)
    if (tail.length > keptLines) tail.shift()
    const said = parsed(line)
    if (said === undefined) return record({ is: 'log', at: monotonic(), process: name, event: 'text', level: 'unknown', raw: { line } })
    const { event, level, time: _, ...raw } = said
    if (event === 'service.started') ready.resolve()
    if (!dull.has(String(event))) record({ is: 'log', at: monotonic(), process: name, event: String(event), level: String(level), raw })
  }
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', take)
  child.once('exit', (code) => {
    record({ is: 'process', at: monotonic(), process: name, edge: isMeant ? 'killed' : 'gone', pid, code })
    ready.reject(new Error(`${name} ended with ${code} before it was ready:\n${tail.join('\n')}`))
  })
  const timer = setTimeout(() => ready.reject(new Error(`${name} was not ready within ${readyWithinMs} ms:\n${tail.join('\n')}`)), readyWithinMs)
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null
  const kill = async (): Promise<void> => {
    isMeant = true
    await ended(child, isAlive)
  }
  try {
    await ready.promise
  } catch (cause) {
    await kill()
    throw cause
  } finally {
    clearTimeout(timer)
  }
  record({ is: 'process', at: monotonic(), process: name, edge: 'started', pid })
  return { name, pid, isAlive, signal: (signal) => void child.kill(signal), kill, tail: () => tail.join('\n') }
}

/** A stopped process dies of SIGKILL as well. */
const ended = async (child: ChildProcess, isAlive: () => boolean): Promise<void> => {
  if (!isAlive()) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** Said all the time, and told by results and the stream of states as well. */
const dull = new Set(['service.starting', 'resolver.decided', 'slot.coalesced', 'request.kept', 'request.put-off', 'trigger.answered'])

const parsed = (line: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const said: unknown = JSON.parse(line)
    return typeof said === 'object' && said !== null && 'event' in said ? { ...said } : undefined
  } catch {
    return undefined
  }
}
