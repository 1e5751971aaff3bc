/**
 * Knows how BullMQ's no-op jobs are measured: redis, a worker and a producer, each a process of its own. BullMQ itself is
 * installed in bench/peers only, so nothing here imports it.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { startRedis } from './redis-server.ts'

export type BullMq = {
  readonly version: string
  /** Jobs in flight at once in the worker: the fastest of those tried. */
  readonly concurrency: number
  /** Jobs per second over one round of `jobs` jobs. */
  readonly round: (jobs: number) => Promise<number>
  readonly processes: () => Readonly<Record<string, number>>
  readonly stop: () => Promise<void>
}

const tried = [1, 10, 25, 50, 100, 200]

export const startBullMq = async (tuneWith: number, say: (line: string) => void): Promise<BullMq> => {
  const here = new URL('../peers/', import.meta.url).pathname
  if (!existsSync(`${here}node_modules/bullmq`)) throw new Error('BullMQ is not installed: run `npm ci` in bench/peers')
  const { version } = JSON.parse(readFileSync(`${here}node_modules/bullmq/package.json`, 'utf8')) as { version: string }
  const redis = await startRedis()
  const queue = 'quiet'
  const started = async (file: string, args: ReadonlyArray<string>): Promise<ChildProcess> => {
    const child = fork(`${here}${file}`, [`${redis.port}`, queue, ...args])
    const isUp = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)])
    if (!isUp) throw new Error(`bench/peers/${file} did not start`)
    return child
  }
  const producer = await started('bullmq-producer.mjs', [])
  const workerWith = (concurrency: number): Promise<ChildProcess> => started('bullmq-worker.mjs', [`${concurrency}`])
  const round = async (jobs: number): Promise<number> => {
    const answer = once(producer, 'message') as Promise<[{ ms: number }]>
    producer.send(jobs)
    const [{ ms }] = await answer
    return jobs / (ms / 1000)
  }

  let best = { concurrency: 1, perSecond: 0 }
  let worker = await workerWith(1)
  for (const concurrency of tried) {
    await ended(worker)
    worker = await workerWith(concurrency)
    await round(Math.ceil(tuneWith / 4)) // warm
    const perSecond = await round(tuneWith)
    say(`BullMQ with concurrency ${concurrency}: ${Math.round(perSecond)} jobs/s`)
    if (perSecond > best.perSecond) best = { concurrency, perSecond }
  }
  await ended(worker)
  worker = await workerWith(best.concurrency)
  await round(tuneWith)
  return {
    version, round,
    concurrency: best.concurrency,
    processes: () => ({ 'redis-server': redis.pid, 'BullMQ worker': worker.pid ?? 0, 'BullMQ producer': producer.pid ?? 0 }),
    stop: async () => {
      await ended(worker)
      await ended(producer)
      await redis.stop()
    },
  }
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return
  const over = once(child, 'exit')
  child.disconnect()
  await over
}
