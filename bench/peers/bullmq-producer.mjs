// Adds jobs to a BullMQ queue in bulk and tells how long it took until all of them were in the completed set.
// argv: port of redis, name of the queue. Hears a number of jobs, answers { ms }; ends with the process that started it.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'

const [port, queue] = process.argv.slice(2)
const connection = { host: '127.0.0.1', port: Number(port) }
const jobs = new Queue(queue, { connection, defaultJobOptions: { attempts: 8, backoff: { type: 'exponential', delay: 1_000 } } })
const redis = new Redis(connection)
const perCall = 1_000
const lookEveryMs = 10

const completed = () => redis.zcard(`bull:${queue}:completed`)

const round = async (count) => {
  const goal = (await completed()) + count
  const from = performance.now()
  for (let added = 0; added < count; added += perCall) {
    const bulk = Array.from({ length: Math.min(perCall, count - added) }, (_, n) => ({ name: 'quiet', data: { conn: `c${added + n}`, slot: added + n } }))
    await jobs.addBulk(bulk)
  }
  while ((await completed()) < goal) await pause(lookEveryMs)
  return { ms: performance.now() - from }
}

await jobs.waitUntilReady()
process.on('message', (count) => void round(count).then((answer) => process.send(answer)))
process.on('disconnect', () => process.exit(0))
process.send('ready')
