/** Knows which nemesis strikes when: told by the seed and the length of a lease, so that a run can be had again. Pure. */
import type { Chance } from './prng.ts'

export const workerNemeses = ['kill-worker', 'stop-worker', 'cut-nats', 'half-open-nats', 'slow-nats', 'reset-nats', 'lose-puback', 'clock-jump'] as const
export const sharedNemeses = [
  'kill-nats', 'kill-resolver', 'kill-scheduler', 'kill-tracker', 'duplicate-triggers',
  'kill-postgres', 'cut-postgres', 'half-open-postgres', 'slow-postgres', 'lose-commit', 'terminate-postgres', 'read-only-postgres',
  'cut-sandbox', 'half-open-sandbox', 'lose-put', 'mischief',
] as const
export const mischiefs = ['429', '503', '500', '410', 'empty', 'truncated', 'no-token', 'duplicated', 'shuffled', 'lost-response', 'cut'] as const

export type What = (typeof workerNemeses)[number] | (typeof sharedNemeses)[number]

/** `afterMs` from the beginning of the load. `amount` in [0, 1): how bad, for those that can be more or less so. */
export type Strike = { readonly id: number; readonly what: What; readonly target: string; readonly afterMs: number; readonly forMs: number; readonly amount: number }

/** One kind in three strikes a worker, and those of them that are the point of fencing more often. */
const drawn: ReadonlyArray<What> = [...workerNemeses, ...sharedNemeses, 'kill-worker', 'stop-worker', 'stop-worker', 'lose-puback', 'kill-nats', 'mischief', 'mischief', 'lose-commit']

export const scheduleOf = (chance: Chance, options: { readonly forMs: number; readonly leaseTtlMs: number; readonly workers: ReadonlyArray<string>; readonly only?: ReadonlyArray<What> }): ReadonlyArray<Strike> => {
  const strikes: Array<Strike> = []
  let afterMs = chance.between(1_000, 3_000)
  for (let id = 1; afterMs < options.forMs; id++) {
    const what = options.only === undefined ? chance.pick(drawn) : (options.only[(id - 1) % options.only.length] ?? 'kill-worker')
    const forMs = lengthOf(what, chance, options.leaseTtlMs)
    strikes.push({ id, what, target: targetOf(what, chance, options.workers), afterMs, forMs: Math.min(forMs, Math.max(500, options.forMs - afterMs)), amount: chance.next() })
    // The next one may begin while this one lasts.
    afterMs += Math.round(forMs * chance.next()) + chance.between(1_000, 5_000)
  }
  return strikes
}

const targetOf = (what: What, chance: Chance, workers: ReadonlyArray<string>): string => {
  if ((workerNemeses as ReadonlyArray<string>).includes(what)) return chance.pick(workers)
  if (what === 'mischief') return chance.pick(mischiefs)
  return what === 'terminate-postgres' || what === 'read-only-postgres' ? chance.pick(['a', 'b']) : '-'
}

/** A stop spans up to three leases; the others are as long as such things are. ms. */
const lengthOf = (what: What, chance: Chance, leaseTtlMs: number): number => {
  switch (what) {
    case 'stop-worker': return chance.between(500, 3 * leaseTtlMs)
    case 'kill-nats': case 'kill-postgres': return chance.between(0, 2_500)
    case 'duplicate-triggers': return chance.between(2_000, 5_000)
    case 'clock-jump': return chance.between(3_000, 8_000)
    case 'terminate-postgres': return 500
    case 'lose-puback': case 'lose-commit': case 'lose-put': return chance.between(1_500, 4_000)
    default: return chance.between(1_000, 6_000)
  }
}
