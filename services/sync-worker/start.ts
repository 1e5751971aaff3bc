/** ROOT of the sync-worker: its lanes, its control subject and its ports on a connection that is there. */
import { mailbox } from '#libs/actor/mailbox.ts'
import { runningService, type RunningService } from '#libs/actor/lifecycle.ts'
import { connectors } from '#libs/connectors/registry.ts'
import type { Connector } from '#libs/connectors/connector.ts'
import { decode } from '#libs/contracts/decode.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import { durables, headerNames, streams, subjects, type Lane } from '#libs/contracts/subjects.ts'
import type { Verdict } from '#libs/actor/verdict.ts'
import { E } from '#libs/fp.ts'
import { consume, type Consumption } from '#libs/nats/consume.ts'
import type { Delivery } from '#libs/nats/delivery.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import type { Ack } from '#libs/nats/verdict-to-ack.ts'
import type { Service, ServiceDeps } from '#libs/process/service-process.ts'
import { workerActor, type Message } from './actor.ts'
import type { Letter } from './conclude.ts'
import { configOf, type Config } from './config.ts'
import { checkpointsOn } from './nats-checkpoints.ts'
import { connectionDocuments } from './nats-connections.ts'
import { cancelQuestions } from './nats-control.ts'
import { leaseTimesOf } from './lease.ts'
import { measure } from './measure.ts'
import { spokenPorts } from './nats-ports.ts'
import { natsFences } from './nats-fences.ts'
import { natsProvenance } from './nats-provenance.ts'
import { natsProviders } from './nats-providers.ts'
import { natsState } from './nats-state.ts'
import { isOver } from './nats-work-item.ts'
import { openSides } from './open-sides.ts'
import { performer } from './perform.ts'
import { poisonLetter } from './poison.ts'
import type { Ports } from './ports.ts'
import { providerGate } from './provider-gate.ts'

export const serviceName = 'sync-worker'

/** `known`: the connectors to use instead of the built-in ones; for tests. */
export const start = async (config: Config, deps: ServiceDeps, known: ReadonlyMap<string, Connector> = connectors): Promise<RunningService> => {
  const { bus, log, clock, random, tracer, metrics } = deps
  const documents = await connectionDocuments(bus, log)
  const worker = config.worker ?? `${serviceName}-${random.token().slice(0, 6)}`
  const gate = providerGate({ store: natsProviders(bus, log), clock, random, worker })
  await gate.ready
  const sides = openSides(known, (name) => deps.env[name], clock, gate)
  const measured = measure(metrics)
  const provenance = natsProvenance(bus, ({ conn, flow }) => documents.ways.knows(conn, flow))
  const checkpoints = checkpointsOn(bus, (failure) => log.info('nats.failed', { reason: `checkpoints are read for every run, or asked of the leader: ${describeNatsFailure(failure)}` }))
  const ports: Ports = {
    clock, random, log, tracer,
    worker,
    state: natsState(bus, clock.now, checkpoints),
    connection: documents.connection,
    highestFence: natsFences(bus),
    provenanceFor: ({ conn, flow }) => (documents.ways.mayMeet(conn, flow) ? provenance : undefined),
    openSide: sides.openSide,
    count: measured.count,
    ...spokenPorts(bus, config.resolverTimeoutMs),
  }
  const perform = performer(ports, leaseTimesOf(config.leaseTtlMs), measured.ended)
  const box = mailbox(workerActor(perform), { clock, log, maxInFlight: config.hotConcurrency + config.coldConcurrency + 16 })

  const handle = async (delivery: Delivery): Promise<Ack> => {
    if (delivery.deliveryCount > 1 && (await isOver(bus, delivery))) {
      log.info('work.over', { seq: delivery.seq, attempt: delivery.deliveryCount })
      return { is: 'done' }
    }
    const item = decode(WorkItem, delivery.body)
    const verdict = E.isLeft(item) ? await poisonLetter(ports, delivery, item.left) : await box.post(messageOf(delivery, item.right))
    return ackOf(verdict)
  }
  const complain = (failure: NatsFailure): void => log.warn('nats.failed', { reason: describeNatsFailure(failure) })
  const lane = (name: Lane, concurrency: number): Consumption => consume(bus, { stream: streams.work, consumer: durables.work(name), concurrency, unconfirmed: true, standstillMs: config.leaseTtlMs, handle, onError: complain })
  const lanes = [lane('hot', config.hotConcurrency), lane('cold', config.coldConcurrency)]
  const control = cancelQuestions(deps, ports, (message) => box.tell(message))
  const listening = [
    subscribe(bus, { subject: subjects.controls, handle: control.running, onError: complain }),
    subscribe(bus, { subject: subjects.controls, queue: `${serviceName}-queue`, handle: control.queued, onError: complain }),
  ]
  log.info('service.started', { worker: ports.worker })

  const end = async (): Promise<void> => {
    await Promise.all(lanes.map((consumption) => consumption.stop()))
    await Promise.all(listening.map((one) => one.stop()))
    await box.close()
    await documents.stop()
    await sides.closeAll()
    await gate.stop()
    checkpoints.stop()
  }
  return runningService({
    name: serviceName,
    stop: end,
    abort: async () => {
      box.tell({ is: 'stop-now' })
      await end()
    },
  })
}

const messageOf = (delivery: Delivery, item: WorkItem): Message => ({
  is: 'work',
  item,
  attempt: delivery.deliveryCount,
  trace: delivery.header(headerNames.traceparent),
  letter: letterOf(delivery),
  stillWorking: async () => {
    await delivery.working()
  },
})

/** Read only when it has to be kept: few are. */
const letterOf = (delivery: Delivery): Letter => ({
  get body() {
    return new TextDecoder().decode(delivery.body)
  },
  get headers() {
    return delivery.headers()
  },
  stream: delivery.stream,
  seq: delivery.seq,
})

const ackOf = (verdict: Verdict): Ack => {
  switch (verdict.is) {
    case 'done':
      return { is: 'done' }
    case 'retry-in':
      return { is: 'again', delayMs: verdict.ms }
    case 'poison':
      return { is: 'terminate', reason: verdict.reason }
    case 'defer':
      return { is: 'again', delayMs: 1_000 }
  }
}

export const service: Service<Config> = { name: serviceName, configOf, start }
