/**
 * Quiet syncs per second beside BullMQ's no-op jobs per second, in turns on the same machine. Needs redis-server
 * (`apt-get install -y redis-server`) and `npm ci` in bench/peers. What each guarantees, and what is not measured:
 * bench/README.md. Run: node bench/quiet-beside-bullmq.bench.ts [connections=20000] [rounds=5]
 */
import { perOperation, spent, type Spent } from './quiet/cpu.ts'
import { startBullMq } from './quiet/bullmq.ts'
import { median, say, spentLine } from './quiet/figures.ts'
import { startQuiet } from './quiet/syncline.ts'

const count = Number(process.argv[2] ?? 20_000)
const rounds = Number(process.argv[3] ?? 5)

const bull = await startBullMq(Math.ceil(count / 4), say)
const quiet = await startQuiet({ connections: count, syncInterval: '1s' }) // as redis does: the same loss when the power fails
await quiet.round() // first syncs
await quiet.round() // a warm-up; BullMQ has had its own while its concurrency was chosen

type Measured = { readonly perSecond: number; readonly each: Spent }
const measured = async (processes: () => Readonly<Record<string, number>>, round: () => Promise<number>): Promise<Measured> => {
  const before = spent(processes())
  const perSecond = await round()
  return { perSecond, each: perOperation(before, spent(processes()), count) }
}
const cpu = ({ each }: Measured): number => Object.values(each).reduce((sum, one) => sum + one, 0)

const jobs: Array<Measured> = []
const syncs: Array<Measured> = []
for (let round = 1; round <= rounds; round++) {
  const one = await measured(bull.processes, () => bull.round(count))
  const other = await measured(quiet.processes, quiet.round)
  jobs.push(one)
  syncs.push(other)
  say(`round ${round}: BullMQ ${Math.round(one.perSecond)} jobs/s, quiet syncs ${Math.round(other.perSecond)}/s, ratio ${(other.perSecond / one.perSecond).toFixed(2)}`)
  say(`  BullMQ ${spentLine(one.each)}`)
  say(`  quiet syncs ${spentLine(other.each)}`)
}
const rate = (all: ReadonlyArray<Measured>): number => median(all.map(({ perSecond }) => perSecond))
say(`median of ${rounds}: BullMQ ${bull.version} (concurrency ${bull.concurrency}) ${Math.round(rate(jobs))} jobs/s, quiet syncs ${Math.round(rate(syncs))}/s`)
say(`ratio of the medians ${(rate(syncs) / rate(jobs)).toFixed(2)}; median of the rounds' ratios ${median(syncs.map(({ perSecond }, i) => perSecond / (jobs[i]?.perSecond ?? 1))).toFixed(2)}; by CPU time ${(median(jobs.map(cpu)) / median(syncs.map(cpu))).toFixed(2)}`)
await bull.stop()
await quiet.stop()
process.exit(0)
