/** `node test/chaos/main.ts --minutes 5 --seed N [--lease S] [--history FILE] [--only what,what]`: one chaos run and its verdict; 0 = ok, 1 = not. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { reportOf } from './report.ts'
import { runChaos } from './run.ts'
import type { What } from './schedule.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, history: { type: 'string' }, only: { type: 'string' }, worker: { type: 'string' }, lease: { type: 'string' } },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
const minutes = Number(values.minutes)
if (!Number.isFinite(minutes) || minutes <= 0 || !Number.isInteger(seed)) {
  process.stderr.write('usage: node test/chaos/main.ts [--minutes 5] [--seed 7] [--lease 3] [--history FILE]\n')
  process.exit(2)
}
const historyFile = values.history ?? join(await mkdtemp(join(tmpdir(), 'syncline-history-')), `chaos-${seed}.jsonl`)
const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort())
const tell = (line: string): void => void process.stdout.write(`${line}\n`)

try {
  const done = await runChaos({
    seed, loadMs: minutes * 60_000, historyFile, patienceMs: 300_000, tell, signal: ending.signal,
    ...(values.only === undefined ? {} : { only: values.only.split(',') as ReadonlyArray<What> }),
    ...(values.lease === undefined ? {} : { leaseTtlMs: Number(values.lease) * 1_000 }),
    ...(values.worker === undefined ? {} : { workerMain: values.worker }),
  })
  const { text, isOk } = reportOf(done, { seed, minutes })
  tell(text)
  if (isOk && values.history === undefined) await rm(dirname(historyFile), { recursive: true, force: true })
  else tell(`history: ${historyFile}`)
  process.exitCode = isOk ? 0 : 1
} catch (cause) {
  tell(`the rig failed: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)
  tell(`history: ${historyFile}`)
  process.exitCode = 1
}
// Everything was stopped; a line that is still being closed is no reason to stay.
process.exit()
