/** Knows how a schedule of nemeses is done to a house, each for its time, and how what they left behind is put right. */
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic, type HistoryRecord } from './history.ts'
import { serviceNames, type House } from './house.ts'
import { strike, type Undo } from './nemeses.ts'
import type { Strike } from './schedule.ts'

type Torment = { readonly house: House; readonly connections: ReadonlyArray<string>; readonly strikes: ReadonlyArray<Strike>; readonly loadMs: number; readonly record: (record: HistoryRecord) => void; readonly tell: (line: string) => void; readonly signal: AbortSignal }

/** Each strike at its time, ended after its time; all are over when this resolves. What dies by itself is started again. */
export const torment = async ({ house, connections, strikes, loadMs, record, tell, signal }: Torment): Promise<void> => {
  const from = monotonic()
  const pause = (ms: number): Promise<void> => sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined)
  const one = async (struck: Strike): Promise<void> => {
    const { id, what, target, afterMs, forMs, amount } = struck
    await pause(afterMs - (monotonic() - from))
    if (signal.aborted) return
    record({ is: 'nemesis', at: monotonic(), id, edge: 'begin', what, target, detail: { forMs, amount } })
    tell(`  ${String(Math.round((monotonic() - from) / 1_000)).padStart(4)} s  ${what} ${target === '-' ? '' : target} for ${(forMs / 1_000).toFixed(1)} s`)
    let undo: Undo | undefined
    try {
      undo = await strike({ house, connections, record, signal }, struck)
      await pause(forMs)
    } finally {
      await undo?.().catch((cause: unknown) => tell(`  ${what} ${target} could not be undone at once: ${String(cause).slice(0, 300)}`))
      record({ is: 'nemesis', at: monotonic(), id, edge: 'end', what, target })
    }
  }
  await Promise.all([...strikes.map(one), pause(loadMs)])
}

/** Whatever a nemesis left behind: dead or stopped processes, faults. */
export const revive = async (house: House): Promise<void> => {
  for (const server of [house.nats, house.postgres]) if (!server.isUp()) await server.start()
  house.provider.faults.set([])
  for (const proxy of [house.proxies.postgres, house.proxies.sandbox, ...house.workers.map(({ nats }) => nats)]) {
    proxy.set({ is: 'none' })
    proxy.loseAnswers(0, () => false)
  }
  for (const name of serviceNames) if (house.services.get(name)?.isAlive() !== true) await house.startService(name)
  for (const worker of house.workers) {
    worker.child.signal('SIGCONT')
    if (!worker.child.isAlive()) await house.startWorker(worker)
  }
}

