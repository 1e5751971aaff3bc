/** Knows what can be wrong around Syncline and how to find out: each finding with what to do about it. Changes nothing. */
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { buckets, durables, streams, subjects, type Lane } from '#libs/contracts/subjects.ts'
import { neededVersion } from '#libs/embedded/find-nats-server.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { provision } from '#libs/nats/provision.ts'
import { assertServerVersion } from '#libs/nats/server-version.ts'
import { consumerInfo, streamInfo } from '#libs/nats/stream-messages.ts'
import { isAnswering } from './presence.ts'
import { spanText } from './render.ts'

export type Finding = { readonly check: string; readonly result: 'ok' | 'warn' | 'fail'; readonly found: string; readonly mend?: string }

const ok = (check: string, found: string): Finding => ({ check, result: 'ok', found })
const warn = (check: string, found: string, mend: string): Finding => ({ check, result: 'warn', found, mend })
const fail = (check: string, found: string, mend: string): Finding => ({ check, result: 'fail', found, mend })

export const examineNode = (version: string): Finding => {
  const check = 'Node'
  return Number.parseInt(version, 10) >= 24 ? ok(check, version) : fail(check, version, 'Syncline needs Node 24: start it by bin/syncline.mjs, which finds the one that npm brought')
}

/** Round trips that take longer make every run slow: a run makes about ten. */
const slowMs = 100

export const examineServer = async (bus: Bus): Promise<ReadonlyArray<Finding>> => {
  const version = assertServerVersion(bus, neededVersion)
  const rtt = await bus.rtt()
  return [
    E.isRight(version) ? ok('NATS version', version.right) : fail('NATS version', describeNatsFailure(version.left), 'run a newer nats-server, or `npm start`, which brings one'),
    E.isLeft(rtt) ? fail('round trip', describeNatsFailure(rtt.left), 'is the network steady?') : rtt.right > slowMs ? warn('round trip', spanText(rtt.right), 'run the services near the NATS server') : ok('round trip', spanText(rtt.right)),
  ]
}

/** Missing things are named; when all are there, they are compared. */
export const examineProvisioning = async (bus: Bus, replicas: number): Promise<ReadonlyArray<Finding>> => {
  const names = [...streamDefs.map(({ name }) => ({ what: `stream ${name}`, stream: name })), ...bucketDefs.map(({ name }) => ({ what: `bucket ${name}`, stream: `KV_${name}` }))]
  const missing: Array<string> = []
  for (const { what, stream } of names) {
    const info = await streamInfo(bus)(stream)()
    if (E.isRight(info)) continue
    if (info.left.is === 'no-responders') return [fail('JetStream', 'does not answer', 'enable it on the server: jetstream {} in its configuration, or nats-server -js')]
    if (info.left.is === 'denied') return [warn('JetStream', describeNatsFailure(info.left), 'this NATS user may not look: try as an administrator')]
    if (info.left.is !== 'not-found') return [fail('JetStream', describeNatsFailure(info.left), 'look into the log of the server')]
    missing.push(what)
  }
  for (const { stream, durable } of consumerDefs) {
    const info = await consumerInfo(bus)(stream, durable)()
    if (E.isLeft(info) && info.left.is === 'not-found') missing.push(`consumer ${durable} of ${stream}`)
  }
  const there = ok('JetStream', 'answers')
  if (missing.length > 0) return [there, fail('streams and buckets', `missing: ${missing.join(', ')}`, 'syncline provision')]
  // Nothing is missing, so this makes nothing and only compares
  const compared = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas })()
  if (E.isLeft(compared)) return [there, warn('streams and buckets', describeNatsFailure(compared.left), 'this NATS user may not compare them: try as an administrator')]
  const drift = compared.right.drift.map(({ what, field, found, wanted }) => `${what}: ${field} is ${JSON.stringify(found)}, wanted is ${JSON.stringify(wanted)}`)
  return [there, drift.length === 0 ? ok('streams and buckets', `all ${names.length} there, with ${consumerDefs.length} consumers`) : warn('streams and buckets', drift.join('; '), 'change them with the nats CLI, unless they were meant')]
}

/** Copies of each stream as they were provisioned, so that a cluster does not show as drift. */
export const replicasOf = async (bus: Bus): Promise<number> => {
  // Part of the stream's configuration, which no port of libs/nats hands out
  const info = await bus.jsm.streams.info(`KV_${buckets.connections}`).catch(() => undefined)
  return info?.config.num_replicas ?? 1
}

const started = (service: string): string => `start one: npm run start:${service}, or npm start for everything`

export const examineServices = async (bus: Bus): Promise<ReadonlyArray<Finding>> => {
  const pinged = async (service: string, name: string): Promise<Finding> => {
    switch (await isAnswering(bus, name)) {
      case 'answers':
        return ok(service, 'answers')
      case 'silent':
        return fail(service, 'does not answer', started(service))
      case 'not asked':
        return warn(service, 'this NATS user may not ask', 'try as an administrator')
    }
  }
  return Promise.all([
    pinged('scheduler', 'scheduler'), examineWorkers(bus), pinged('conflict-resolver', 'conflict-resolver'), pinged('tracker', 'syncline-tracker'),
  ])
}

/** Workers pull: whoever waits on both lanes is there; all busy looks the same as none only while there is work in hand. */
const examineWorkers = async (bus: Bus): Promise<Finding> => {
  const lanes = await Promise.all((['hot', 'cold'] satisfies ReadonlyArray<Lane>).map(async (lane) => ({ lane, info: await consumerInfo(bus)(streams.work, durables.work(lane))() })))
  const deaf: Array<string> = []
  const told: Array<string> = []
  for (const { lane, info } of lanes) {
    if (E.isLeft(info)) return warn('sync-worker', describeNatsFailure(info.left), 'syncline provision makes its consumers')
    const { pending, ackPending, waitingPulls } = info.right
    told.push(`${lane}: ${ackPending} in hand, ${pending} waiting`)
    if (waitingPulls === 0 && ackPending === 0) deaf.push(lane)
  }
  return deaf.length === 0 ? ok('sync-worker', told.join('; ')) : fail('sync-worker', `nobody pulls from ${deaf.join(' and ')} (${told.join('; ')})`, started('sync-worker'))
}

/** Ticks, leases and history compare times of several machines. */
const skewWarnMs = 2_000
const skewFailMs = 30_000

export const examineClock = async (bus: Bus, now: () => number): Promise<Finding> => {
  const before = now()
  // The server's time stands in its answer, which no port of libs/nats hands out
  const info = await bus.jsm.streams.info(streams.work).catch(() => undefined)
  const server = Date.parse(info?.ts ?? '')
  if (Number.isNaN(server)) return warn('clock', 'the server does not tell its time', 'compare it by hand')
  const skew = server - (before + now()) / 2
  const text = `${spanText(Math.abs(skew))} ${skew > 0 ? 'behind' : 'ahead of'} the NATS server`
  if (Math.abs(skew) < skewWarnMs) return ok('clock', text)
  return (Math.abs(skew) < skewFailMs ? warn : fail)('clock', text, 'set the clocks by NTP: slots fall due by them')
}

export const examineDead = async (bus: Bus): Promise<Finding> => {
  const info = await streamInfo(bus)(streams.dead, subjects.deads)()
  if (E.isLeft(info)) return warn('dead letters', describeNatsFailure(info.left), 'syncline provision')
  const { messages } = info.right
  return messages === 0 ? ok('dead letters', 'none') : warn('dead letters', `${messages} dead letters and records set aside`, 'syncline dlq ls')
}

export const examineHttp = async (url: string, isTold: boolean): Promise<Finding> => {
  const missing = (why: string): Finding => (isTold ? fail : warn)('HTTP', `${url} ${why}`, 'is the tracker there? SYNCLINE_HTTP_URL names another address')
  try {
    const answer = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(2_000) })
    const health = (await answer.json()) as { readonly status?: unknown; readonly problems?: ReadonlyArray<string> }
    return answer.ok ? ok('HTTP', `${url} is healthy`) : fail('HTTP', `${url} says ${String(health.status)}: ${(health.problems ?? []).join('; ')}`, 'look into the log of the tracker')
  } catch (error) {
    return missing(error instanceof Error && error.name === 'TimeoutError' ? 'does not answer within 2 s' : 'does not answer')
  }
}
