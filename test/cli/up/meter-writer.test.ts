import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Clock } from '#libs/clock.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { meterReading } from '../../../cli/up/meter-readings.ts'
import { startMeterWriter } from '../../../cli/up/meter-writer.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** Sleeps only once: the first turn comes at once, the second never. */
const oneTurn = (): { readonly clock: Clock; readonly over: Promise<void> } => {
  const over = Promise.withResolvers<undefined>()
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (ms === 0) return Promise.resolve()
    over.resolve(undefined)
    return new Promise((woken) => signal?.addEventListener('abort', () => woken()))
  }
  return { clock: { now: () => 0, monotonic: () => 0, sleep }, over: over.promise }
}

const grown = async (before: string): Promise<string> => {
  const { path, remove } = await temporaryFolder()
  onTestFinished(remove)
  const file = join(path, 'readings.jsonl')
  await writeFile(file, before)
  const { clock, over } = oneTurn()
  const writer = await startMeterWriter(file, clock, silentLog)
  await over
  await writer.stop()
  return readFile(file, 'utf8')
}
const lines = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, i) => `${meterReading(from + i)}\n`).join('')

it.each([
  ['a file that ends as it should', lines(1, 8), lines(1, 12)],
  ['an empty file', '', lines(1, 4)],
  ['a last line that a person left open', lines(1, 3).trimEnd(), lines(1, 7)],
  ['a last line that broke off', `${lines(1, 2)}{"id":3,"met`, `${lines(1, 2)}{"id":3,"met\n${lines(3, 6)}`],
])('goes on with the next readings after %s', async (_, before, after) => expect(await grown(before)).toBe(after))
