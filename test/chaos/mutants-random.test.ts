/**
 * The engine under random drives on the small rig, in deep runs only (vitest.config.ts): the machine's own timing has a say in what happens, and a
 * build must not fail by chance. A failure prints its seed: SYNCLINE_SEED plays it again, as far as that timing lets it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check } from './checker/check.ts'
import { tell } from './checker/tell.ts'
import { openBench, type Bench } from './mutants-bench.ts'
import { lossy, randomDrive } from './mutants-random.ts'

const wanted = process.env['SYNCLINE_SEED']
const first = wanted === undefined ? Math.floor(Math.random() * 1_000_000) : Number(wanted)
const seeds = Array.from({ length: wanted === undefined ? 200 : 1 }, (_, n) => first + n)
const steps = 30

describe('a connection that meets whatever comes', () => {
  let bench: Bench
  beforeAll(async () => { bench = await openBench() })
  afterAll(() => bench.stop())

  it('loses nothing, doubles nothing, and comes to rest', { timeout: 3_600_000 }, async () => {
    for (const seed of seeds) {
      const stage = await bench.stage({ mutant: lossy(seed) })
      try {
        await randomDrive(seed, steps)(stage)
        const verdict = check(await stage.settle())
        expect(verdict.verdict, `seed ${seed}: ${tell(verdict)}`).toBe('ok')
      } finally {
        await stage.close()
      }
    }
  })
})
