// A BullMQ worker in a process of its own: no-op jobs, everything else as BullMQ has it by default (completed jobs are kept).
// argv: port of redis, name of the queue, concurrency. Says "ready" once it is; ends with the process that started it.
import { Worker } from 'bullmq'

const [port, queue, concurrency] = process.argv.slice(2)
const worker = new Worker(queue, () => Promise.resolve(), { connection: { host: '127.0.0.1', port: Number(port) }, concurrency: Number(concurrency) })
worker.on('error', (error) => console.error(error.message))
await worker.waitUntilReady()
process.send('ready')
process.on('disconnect', () => process.exit(0))
