/**
 * Quiet syncs per second, end to end: work item published → lease → checkpoint → both sides read → result → status and
 * statistics folded by the tracker → everything acked; beside the same broker's raw publish rate, and what each process
 * spends on it. Run: node bench/noop.bench.ts [connections=20000] [rounds=3]. What is and is not measured: bench/README.md.
 */
import { perOperation, spent } from './quiet/cpu.ts'
import { median, say, spentLine } from './quiet/figures.ts'
import { startQuiet } from './quiet/syncline.ts'

const connections = Number(process.argv[2] ?? 20_000)
const rounds = Number(process.argv[3] ?? 3)
/** Flags of Node for one process, `--cpu-prof --cpu-prof-dir=…` above all. */
const flags = (name: string): ReadonlyArray<string> => (process.env[name] ?? '').split(' ').filter((flag) => flag !== '')

const quiet = await startQuiet({ connections, workerFlags: flags('BENCH_WORKER_FLAGS'), trackerFlags: flags('BENCH_TRACKER_FLAGS') })
await quiet.round() // first syncs
await quiet.round() // a warm-up
const raw: Array<number> = []
const syncs: Array<number> = []
for (let round = 1; round <= rounds; round++) {
  raw.push(await quiet.raw(connections))
  const before = spent(quiet.processes())
  syncs.push(await quiet.round())
  const each = perOperation(before, spent(quiet.processes()), connections)
  say(`round ${round}: raw publish ${Math.round(raw.at(-1) ?? 0)}/s, quiet syncs ${Math.round(syncs.at(-1) ?? 0)}/s; ${spentLine(each)}`)
}
say(`median: raw publish ${Math.round(median(raw))}/s, quiet syncs ${Math.round(median(syncs))}/s, ratio ${(median(syncs) / median(raw)).toFixed(3)}`)
await quiet.stop()
process.exit(0)
