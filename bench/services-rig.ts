/**
 * Knows how a bench starts a broker and the services as processes, asks for runs and hears how they ended, and reads the
 * worker's peak memory. The worker is started as `npm run start:sync-worker` does.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, subjects } from '#libs/contracts/subjects.ts'
import { TriggerAnswer } from '#libs/contracts/trigger.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { connectTo, startTestServer } from '../test/support/nats-server.ts'
import { startProcess } from '../test/support/processes.ts'

export type Ended = { readonly result: RunResult; readonly ms: number }

export const orThrow = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

export const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0

export const startServices = async (more: Readonly<Record<string, string>>, workerOptions: string) => {
  const server = await startTestServer()
  const bus = await connectTo(server)
  orThrow(await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })())
  let heard: (result: RunResult) => void = () => undefined
  subscribe(bus, { subject: subjects.results, handle: ({ body }) => heard(orThrow(decode(RunResult, body))), onError: () => undefined })
  const env = { NATS_URL: server.url, ...more }
  const startWorker = () => startProcess('sync-worker', { ...env, NODE_OPTIONS: workerOptions })
  let worker = await startWorker()
  const others = await Promise.all([startProcess('scheduler', env), startProcess('conflict-resolver', env)])
  const next = (conn: string): Promise<Ended> =>
    new Promise((done, fail) => {
      heard = (result) => {
        if (result.conn !== conn || result.outcome === 'skipped') return
        const { outcome, error, startedAt, finishedAt } = result
        if (outcome === 'succeeded') done({ result, ms: finishedAt - startedAt })
        else fail(new Error(`${conn}: ${outcome} ${JSON.stringify(error)} ${JSON.stringify(result.flows)}\n${worker.output().slice(-2_000)}`))
      }
    })
  return {
    /** The first run of a connection that is made now. */
    load: async (document: unknown): Promise<Ended> => {
      const connection = orThrow(Connection.decode(document))
      const ended = next(connection.id)
      orThrow(await openBucket(bus)(buckets.connections).put(connection.id, encode(ConnectionDocument, { connection, appliedAt: Date.now() }))())
      return ended
    },
    /** What is left of a connection must not meet the next one's items on the same tables. */
    remove: async (conn: string): Promise<void> => {
      orThrow(await openBucket(bus)(buckets.connections).delete(conn)())
    },
    run: async (conn: string): Promise<Ended> => {
      const ended = next(conn)
      // The result comes before the ack: for a moment the connection is still busy.
      for (;;) {
        const answer = orThrow(await ask(bus)(subjects.trigger(conn), new Uint8Array(), { timeoutMs: 5_000 })())
        if (orThrow(decode(TriggerAnswer, answer.body)).code === 202) return ended
      }
    },
    /** Largest resident set of the worker since it was forgotten, MB. */
    peakMb: async (): Promise<number> => {
      const file = `/proc/${worker.child.pid}`
      const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`${file}/status`, 'utf8'))?.[1] ?? 0) / 1024
      await writeFile(`${file}/clear_refs`, '5').catch(() => undefined)
      return peak
    },
    /** Processor time of the worker so far, ms. */
    workerCpuMs: async (): Promise<number> => {
      const [user = '0', system = '0'] = (await readFile(`/proc/${worker.child.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ').slice(11, 13) ?? []
      return (Number(user) + Number(system)) * 10
    },
    freshWorker: async (): Promise<void> => {
      await worker.kill('SIGTERM')
      worker = await startWorker()
    },
    stop: async (): Promise<void> => {
      await Promise.all([worker, ...others].map((one) => one.kill('SIGTERM')))
      await bus.close()
      await server.stop()
    },
  }
}
