/**
 * Services as docker-compose.yml starts them, each a process under its own NATS user, on a NATS from deploy/nats. What
 * people do (provision, apply, listen) is done as admin. For stories; the data are folders of cards.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { buckets, subjects } from '#libs/contracts/subjects.ts'
import { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import { composed, loginOf, startDeployedNats, type DeployedNats } from './deployed-nats.ts'
import { connectTo } from './nats-server.ts'
import { onceInACentury } from './schedules.ts'
import { patienceMs, startProcess, until, type ServiceProcess } from './processes.ts'

const root = join(import.meta.dirname, '../..')

export type DeployedHouse = {
  readonly nats: DeployedNats
  readonly admin: Bus
  /** A connection as one of the users of accounts.conf. */
  readonly as: (user: string) => Promise<Bus>
  /** The streams, buckets and consumers, by the command of compose's `provision`. */
  readonly provision: () => Promise<void>
  readonly start: (service: string, env?: Readonly<Record<string, string>>) => Promise<ServiceProcess>
  /** Two folders kept in step both ways: at once, and then when asked. */
  readonly apply: (id: string, more?: Readonly<Record<string, unknown>>) => Promise<void>
  /** A side of a connection that `apply` made; it is there once it has a card, or was asked for. */
  readonly side: (id: string, side: 'a' | 'b') => Promise<Side>
  readonly results: ReadonlyArray<RunResult>
  readonly result: (what: string, test: (result: RunResult) => boolean, withinMs?: number) => Promise<RunResult>
  readonly stop: () => Promise<void>
}

export type Side = {
  readonly put: (name: string, fullName?: string) => Promise<void>
  readonly names: () => Promise<ReadonlyArray<string>>
}

export const startDeployedHouse = async (size: 1 | 3): Promise<DeployedHouse> => {
  const nats = await startDeployedNats(size)
  const dir = await mkdtemp(join(tmpdir(), 'syncline-deployed-house-'))
  const processes: Array<ServiceProcess> = []
  const results: Array<RunResult> = []
  const buses: Array<Bus> = []
  const as = async (user: string): Promise<Bus> => {
    const bus = await connectTo(nats.urls, await loginOf(user))
    buses.push(bus)
    return bus
  }
  const admin = await as('admin')
  subscribe(admin, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) results.push(result.right)
    },
    onError: () => undefined,
  })
  const commanded = async (service: string) => {
    const { command, environment: { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...environment } } = await composed(service) // nobody takes traces here
    return { command, environment: { ...environment, NATS_URL: nats.urls.join(',') } }
  }
  return {
    nats, admin, as, results,
    provision: async () => {
      const { command, environment } = await commanded('provision')
      const here = size === 1 ? command.map((word) => (word === '3' ? '1' : word)) : command
      await promisify(execFile)(process.execPath, here, { cwd: root, env: { PATH: process.env['PATH'], ...environment } })
    },
    start: async (service, env = {}) => {
      const { environment } = await commanded(service)
      const elsewhere = service === 'tracker' ? { TRACKER_HTTP_HOST: '127.0.0.1', TRACKER_HTTP_PORT: '0' } : {} // the port of compose may be in use
      const started = await startProcess(service, { ...environment, ...elsewhere, ...env })
      processes.push(started)
      return started
    },
    apply: async (id, more = {}) => {
      const side = (name: string) => ({ provider: 'file', path: join(dir, id, name) })
      const flows = [{ id: 'main', direction: 'two-way', kind: 'contact', source: side('a'), destination: side('b') }]
      const connection = Connection.decode({ id, schedule: onceInACentury, flows, ...more })
      if (E.isLeft(connection)) throw new Error('not a connection')
      const put = await openBucket(admin)(buckets.connections, { timeoutMs: patienceMs }).put(connection.right.id, encode(ConnectionDocument, { connection: connection.right, appliedAt: Date.now() }))()
      if (E.isLeft(put)) throw new Error(JSON.stringify(put.left))
    },
    side: async (id, side) => {
      const folder = join(dir, id, side)
      await mkdir(folder, { recursive: true })
      return {
        put: (name, fullName = name) => writeFile(join(folder, `${name}.vcf`), `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${name}\r\nFN:${fullName}\r\nEND:VCARD\r\n`),
        names: async () => (await readdir(folder)).filter((name) => name.endsWith('.vcf')).sort(),
      }
    },
    result: async (what, test, withinMs = patienceMs) => {
      await until(`${what}; heard: ${heard(results)}`, () => results.some(test), withinMs).catch((cause: unknown) => {
        throw new Error(`${String(cause)}\nheard in the end: ${heard(results)}\n${processes.map(({ name, output }) => `--- ${name}\n${output().slice(-3_000)}`).join('\n')}`)
      })
      const found = results.find(test)
      if (found === undefined) throw new Error(what)
      return found
    },
    stop: async () => {
      await Promise.all(processes.map((one) => one.kill('SIGKILL')))
      for (const bus of buses) await bus.close()
      await nats.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const heard = (results: ReadonlyArray<RunResult>): string => JSON.stringify(results.map(({ conn, outcome, reason, error }) => [conn, outcome, reason ?? error?.message]))

/**
 * The run that a trigger was accepted with. A result is heard before the work item is out of the queue: for a moment the
 * answer is still "already running", with the run that has just ended.
 */
export const accepted = async (bus: Bus, id: string): Promise<string> => {
  let answer: Record<string, unknown> = {}
  await until(`a trigger of ${id} is accepted`, async () => (answer = await asked(bus, subjects.trigger(id)))['answer'] === 'accepted')
  return String(answer['run'])
}

/** Asks a service and reads its JSON; rejects with what it said instead. */
export const asked = async (bus: Bus, subject: string, question: object = {}): Promise<Record<string, unknown>> => {
  const answer = await ask(bus)(subject, new TextEncoder().encode(JSON.stringify(question)), { timeoutMs: patienceMs })()
  if (E.isLeft(answer)) throw new Error(`${subject}: ${JSON.stringify(answer.left)}`)
  return JSON.parse(new TextDecoder().decode(answer.right.body)) as Record<string, unknown>
}
