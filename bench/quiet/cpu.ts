/** Knows how much processor time a process and its threads have used. Linux only. */
import { readFileSync } from 'node:fs'

const ticksPerSecond = 100 // USER_HZ, the same on every Linux that Node runs on

/** Seconds of user and system time since the process began; 0 when it cannot be told. */
const secondsOf = (pid: number): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return 0
  }
}

export type Spent = Readonly<Record<string, number>>

/** Seconds by process. */
export const spent = (processes: Readonly<Record<string, number>>): Spent =>
  Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, secondsOf(pid)]))

/** Microseconds per operation by process, between two readings. */
export const perOperation = (before: Spent, after: Spent, operations: number): Spent =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, ((seconds - (before[name] ?? 0)) / operations) * 1e6]))
