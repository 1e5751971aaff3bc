import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControlAnswer, ControlQuestion } from '#libs/contracts/control.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { streamDefs } from '#libs/contracts/streams.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { ConnectionId, RunId } from '#libs/domain/ids.ts'
import { E, TE } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { provision } from '#libs/nats/provision.ts'
import { publish } from '#libs/nats/publish.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import type { ServiceDeps } from '#libs/process/service-process.ts'
import { cancelQuestions } from '../../../services/sync-worker/nats-control.ts'
import type { LeaseSeen, Ports } from '../../../services/sync-worker/ports.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'

const conn = 'slow' as ConnectionId
const item: WorkItem = { conn, run: '01J00000000000000000000000' as RunId, trigger: 't', cause: 'manual', lane: 'hot', revision: 1, askedAt: 1 }
const nobody: LeaseSeen = { entry: null, revision: 0, ageMs: 0 }
const held: LeaseSeen = { entry: { owner: 'worker-1', nonce: 'n', run: item.run, n: 0, free: false }, revision: 1, ageMs: 0 }
const freed: LeaseSeen = { entry: { owner: 'worker-1', nonce: 'n', run: item.run, n: 0, free: true }, revision: 1, ageMs: 0 }

let server: TestServer
let bus: Bus
let seen: ReadonlyArray<LeaseSeen> = []
const said: Array<string> = []
beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await provision(bus)({ streams: streamDefs, buckets: [], consumers: [] }, { replicas: 1 })()
  let looks = 0
  const ports = {
    state: { readLease: () => TE.right(seen[Math.min(looks++, seen.length - 1)] ?? nobody) },
    sayResult: ({ outcome }: { readonly outcome: string }) => TE.fromIO(() => void said.push(outcome)),
  }
  const control = cancelQuestions({ bus, clock: { sleep: () => Promise.resolve() } } as unknown as ServiceDeps, ports as unknown as Ports, () => undefined)
  subscribe(bus, { subject: subjects.controls, handle: (message) => {
    looks = 0
    return control.queued(message)
  }, onError: () => undefined })
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

/** What a worker of the group answers when the lease looks like this before and after it waited for the runner. */
const cancelled = async (...leases: ReadonlyArray<LeaseSeen>): Promise<ControlAnswer['found'] | undefined> => {
  seen = leases
  const answer = await ask(bus)(subjects.control(conn), encode(ControlQuestion, { verb: 'cancel' }), { timeoutMs: 2_000 })()
  const decoded = E.isRight(answer) ? decode(ControlAnswer, answer.right.body) : answer
  return E.isRight(decoded) ? decoded.right.found : undefined
}
const queued = async (): Promise<number | undefined> => {
  const numbers = await streamInfo(bus)(streams.work)()
  return E.isRight(numbers) ? numbers.right.messages : undefined
}

describe('a cancel of a run that takes its time to stop', () => {
  it.each([
    ['that goes on', [held, held]],
    ['that has ended while the answer was waited for, and the next one is queued', [held, nobody]],
    ['that began only then', [nobody, held]],
  ])('leaves the work item of a run %s', async (_, leases) => {
    await publish(bus)(subjects.work('hot', conn), encode(WorkItem, item))()
    expect([await cancelled(...leases), await queued(), said]).toEqual(['running', 1, []])
  })
})

describe('a cancel of what nobody runs', () => {
  it('takes the work item out, also between two attempts, and then finds nothing', async () => {
    expect([await cancelled(freed, freed), await queued(), said]).toEqual(['queued', 0, ['cancelled']])
    expect(await cancelled(nobody, nobody)).toBe('over')
  })
})
