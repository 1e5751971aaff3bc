/** Knows how much memory the processes of a house take, from /proc, every other second. */
import { readFile } from 'node:fs/promises'
import { monotonic, type HistoryRecord } from './history.ts'
import type { House } from './house.ts'

export const watchMemory = (house: House, record: (record: HistoryRecord) => void) => {
  const look = async (): Promise<void> => {
    for (const { name, pid, isAlive } of [...house.workers.map(({ child }) => child), ...house.services.values()]) {
      if (!isAlive()) continue
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      const kb = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
      if (kb !== undefined) record({ is: 'memory', at: monotonic(), process: name, rssBytes: Number(kb) * 1_024 })
    }
  }
  const timer = setInterval(() => void look(), 2_000)
  return { stop: () => clearInterval(timer) }
}

