/** The chaos rig at its shortest: one fixed schedule of what hurts most. `npm run test:chaos` is the long one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { InvariantName } from './checker/invariant.ts'
import { reportOf } from './report.ts'
import { runChaos } from './run.ts'
import type { Strike, What } from './schedule.ts'

const loadMs = 14_000
const strikeOf = (id: number, afterMs: number, what: What, target: string, forMs: number): Strike => ({ id, what, target, afterMs, forMs, amount: 0.5 })
const strikes = (leaseTtlMs: number): ReadonlyArray<Strike> => [
  strikeOf(1, 1_000, 'lose-puback', 'w1', 2_000),
  strikeOf(2, 2_500, 'kill-worker', 'w2', 1_500),
  strikeOf(3, 3_500, 'lose-put', '-', 3_000),
  // Past its lease: it wakes up as a zombie.
  strikeOf(4, 4_500, 'stop-worker', 'w3', 1.6 * leaseTtlMs),
  strikeOf(5, 6_000, 'lose-commit', '-', 2_000),
  strikeOf(6, 8_000, 'mischief', 'empty', 2_000),
  strikeOf(7, 10_000, 'cut-nats', 'w1', 1_500),
]

/** How fast it came back is no question to a machine that is busy with other things. */
const ofTime: ReadonlyArray<InvariantName> = ['I11']

describe('when workers die, sleep and lose answers under load', () => {
  it('loses nothing, doubles nothing, and comes to rest', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'syncline-history-'))
    const ending = new AbortController()
    onTestFinished(() => ending.abort())
    const done = await runChaos({ seed: 1, loadMs, strikes, items: 30, opsPerSecond: 12, everyMs: 1_000, patienceMs: 200_000, historyFile: join(dir, 'history.jsonl'), tell: () => undefined, signal: ending.signal })
    const { text, verdict } = reportOf(done, { seed: 1, minutes: loadMs / 60_000 })

    expect(done.converged, text).toBe(true)
    expect(verdict.invariants.filter(({ name, standing }) => standing === 'violated' && !ofTime.includes(name)), text).toEqual([])
    for (const name of ['I1', 'I2', 'I3', 'I4', 'I6', 'I7', 'I9'] as const) expect(verdict.invariants.find((one) => one.name === name)?.checked, `${name} was looked at`).toBeGreaterThan(0)
    await rm(dir, { recursive: true, force: true })
  }, 900_000)
})
