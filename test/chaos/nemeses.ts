/** Knows how each nemesis is done to a house, and undone. Does not know when: schedule.ts does. */
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { publish } from '#libs/nats/publish.ts'
import { monotonic, type HistoryRecord } from './history.ts'
import type { House, ServiceName, WorkerHouse } from './house.ts'
import type { Strike } from './schedule.ts'
import type { Mischief } from './sandbox/fault.ts'

export type Undo = () => Promise<void>
export type Victims = { readonly house: House; readonly connections: ReadonlyArray<string>; readonly record: (record: HistoryRecord) => void; readonly signal: AbortSignal }

const none = { is: 'none' } as const
const nothing: Undo = async () => undefined

export const strike = async ({ house, connections, record, signal }: Victims, { what, target, amount }: Strike): Promise<Undo> => {
  const worker = house.workers.find(({ name }) => name === target)
  const proxied = (proxy: { readonly set: House['proxies']['postgres']['set'] }, fault: Parameters<typeof proxy.set>[0]): Undo => {
    proxy.set(fault)
    return async () => proxy.set(none)
  }
  const lost = (proxy: House['proxies']['postgres'], asks: (sent: Buffer) => boolean): Undo => {
    proxy.loseAnswers(1 + Math.floor(amount * 3), asks)
    return async () => proxy.loseAnswers(0, () => false)
  }
  const { postgres, sandbox } = house.proxies
  switch (what) {
    case 'kill-worker': return killed(known(worker), house)
    case 'stop-worker': {
      const { child } = known(worker)
      child.signal('SIGSTOP')
      return async () => child.signal('SIGCONT')
    }
    case 'clock-jump': {
      const { clockFile } = known(worker)
      // Both ways, and more than a lease is long.
      await writeFile(clockFile, String(Math.round((amount - 0.5) * 40_000)))
      return () => writeFile(clockFile, '0')
    }
    case 'cut-nats': return proxied(known(worker).nats, { is: 'closed' })
    case 'half-open-nats': return proxied(known(worker).nats, { is: 'blackhole' })
    case 'slow-nats': return proxied(known(worker).nats, { is: 'latency', ms: Math.round(10 + amount * 250) })
    case 'reset-nats': return proxied(known(worker).nats, { is: 'reset-after', bytes: Math.round(2_000 + amount * 60_000) })
    case 'lose-puback': return lost(known(worker).nats, (sent) => sent.includes('PUB $KV.sync_state.'))
    case 'kill-nats':
      if (!house.nats.isUp()) return nothing
      await house.nats.kill()
      return house.nats.start
    case 'kill-postgres':
      if (!house.postgres.isUp()) return nothing
      await house.postgres.kill()
      return house.postgres.start
    case 'kill-resolver': return killedService('conflict-resolver', house)
    case 'kill-scheduler': return killedService('scheduler', house)
    case 'kill-tracker': return killedService('tracker', house)
    case 'duplicate-triggers': return duplicated({ house, connections, record, signal })
    case 'cut-postgres': return proxied(postgres, { is: 'closed' })
    case 'half-open-postgres': return proxied(postgres, { is: 'blackhole' })
    case 'slow-postgres': return proxied(postgres, { is: 'latency', ms: Math.round(5 + amount * 100) })
    case 'lose-commit': return lost(postgres, (sent) => sent.includes('COMMIT'))
    case 'terminate-postgres':
      await house.tables[target === 'a' ? 'a' : 'b'].terminate()
      return nothing
    case 'read-only-postgres': {
      const tables = house.tables[target === 'a' ? 'a' : 'b']
      await tables.setReadOnly(true)
      return () => tables.setReadOnly(false)
    }
    case 'cut-sandbox': return proxied(sandbox, { is: 'closed' })
    case 'half-open-sandbox': return proxied(sandbox, { is: 'blackhole' })
    case 'lose-put': return lost(sandbox, (sent) => sent.subarray(0, 4).toString() === 'PUT ')
    case 'mischief': {
      const fault = { do: target as Mischief, times: 1 + Math.floor(amount * 4), ...(target === '429' || target === '503' ? { retryAfterS: 1 + Math.floor(amount * 9) } : {}) }
      house.provider.faults.add(fault)
      return async () => house.provider.faults.set([])
    }
  }
}

const killed = async (worker: WorkerHouse, house: House): Promise<Undo> => {
  if (!worker.child.isAlive()) return nothing
  await worker.child.kill()
  return () => house.startWorker(worker)
}

const killedService = async (name: ServiceName, house: House): Promise<Undo> => {
  if (house.services.get(name)?.isAlive() !== true) return nothing
  await house.services.get(name)?.kill()
  return () => house.startService(name)
}

/** Requests without end for every connection, several at once. */
const duplicated = async ({ house, connections, record, signal }: Victims): Promise<Undo> => {
  const ending = new AbortController()
  const flood = async (): Promise<void> => {
    while (!ending.signal.aborted && !signal.aborted) {
      for (const conn of connections) await Promise.all([askFor(house, conn, record, true), askFor(house, conn, record, true)])
      await sleep(300, undefined, { signal: ending.signal }).catch(() => undefined)
    }
  }
  const running = flood()
  return async () => {
    ending.abort()
    await running
  }
}

export const askFor = async (house: House, conn: string, record: (record: HistoryRecord) => void, duplicate = false): Promise<void> => {
  const at = monotonic()
  const stored = await publish(house.bus)(subjects.request(conn as ConnectionId), new Uint8Array(), { timeoutMs: 2_000 })()
  record({ is: 'trigger', at, conn, result: E.isRight(stored) ? 'ok' : stored.left.is === 'timeout' ? 'unknown' : 'fail', ...(E.isRight(stored) ? { seq: stored.right.seq } : {}), ...(duplicate ? { duplicate } : {}) })
}

const known = (worker: WorkerHouse | undefined): WorkerHouse => {
  if (worker === undefined) throw new Error('a nemesis without its worker')
  return worker
}
