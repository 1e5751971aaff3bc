/** ROOT of the scheduler: its doors, its timer and its ports on a connection that is there. */
import { every, type Every } from '#libs/actor/every.ts'
import { runningService, type RunningService } from '#libs/actor/lifecycle.ts'
import { mailbox, type Mailbox } from '#libs/actor/mailbox.ts'
import type { Verdict } from '#libs/actor/verdict.ts'
import { encode } from '#libs/contracts/decode.ts'
import { buckets, durables, streams, subjects } from '#libs/contracts/subjects.ts'
import { TriggerAnswer } from '#libs/contracts/trigger.ts'
import { E } from '#libs/fp.ts'
import { consume } from '#libs/nats/consume.ts'
import type { Delivery } from '#libs/nats/delivery.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { serve } from '#libs/nats/serve.ts'
import type { Ack } from '#libs/nats/verdict-to-ack.ts'
import type { Service, ServiceDeps } from '#libs/process/service-process.ts'
import { decide, untilNextWake } from './actor.ts'
import { configOf, type Config } from './config.ts'
import type { Letter } from './dead-letter-of.ts'
import { doors } from './hear.ts'
import { natsPorts } from './nats-ports.ts'
import { keyOf, perform, verdictOf } from './perform.ts'
import { initialState, type Message, type State } from './state.ts'

export const serviceName = 'scheduler'

/** Turns at once beside the requests: time itself, and questions. */
const otherTurns = 64

/** Rejects with a readable Error when it cannot start. Resolves when every connection is known and all doors are open. */
export const start = async (config: Config, deps: ServiceDeps): Promise<RunningService> => {
  const { bus, version, log, clock } = deps
  const ports = natsPorts(bus)
  const answers = answerBook()
  let timer: Every | undefined
  const inside = { tell: (message: Message) => box.tell(message), nudge: () => timer?.nudge(), answer: answers.give }
  const actor = { name: serviceName, initial: initialState(), decide, perform: perform(ports, deps, inside), keyOf, verdictOf }
  const box: Mailbox<State, Message> = mailbox(actor, { clock, log, maxInFlight: config.requestConcurrency + otherTurns })
  const hear = doors(ports, deps, box, answers)
  const complain = (failure: NatsFailure): void => log.warn('nats.failed', { reason: describeNatsFailure(failure) })

  const watermark = await ports.readWatermark()
  if (E.isLeft(watermark)) throw new Error(`the scheduler cannot read its watermark: ${watermark.left.message}`)
  let arriving: Promise<unknown> = Promise.resolve()
  const watch = openBucket(bus)(buckets.connections).watch(
    '>',
    ({ key, value, revision }) => {
      const known = hear.document(key, value, revision).catch((error: unknown) => log.error('actor.threw', { service: serviceName, error }))
      arriving = Promise.all([arriving, known])
    },
    { onError: complain },
  )
  await watch.ready
  await arriving
  await box.post({ is: 'loaded', watermark: watermark.right })

  const mail = consume(bus, {
    stream: streams.requests, consumer: durables.mailbox, concurrency: config.requestConcurrency,
    handle: async (delivery) => ackOf(await hear.request(letterOf(delivery))), onError: complain,
  })
  const answered = async (subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>) => E.right(encode(TriggerAnswer, await hear.question(subject, body, headers)))
  const serving = await serve(bus)({
    name: serviceName, version, description: 'Decides when each connection syncs; whoever asks is answered at once.', queue: serviceName,
    endpoints: [
      { name: 'trigger', subject: subjects.triggers, handle: answered },
      { name: 'operate', subject: subjects.operations, handle: answered },
    ],
    onError: complain,
  })()
  if (E.isLeft(serving)) {
    await Promise.all([mail.stop(), watch.stop()])
    throw new Error(`the scheduler cannot serve ${subjects.triggers}: ${describeNatsFailure(serving.left)}`)
  }
  if (config.ticks) timer = every({ name: serviceName, clock, log, delayMs: () => untilNextWake(box.state(), clock.now()), turn: () => box.post({ is: 'wake' }) })
  log.info('service.started', { connections: box.state().agenda.entries.size })

  const end = async (): Promise<void> => {
    await Promise.all([serving.right.stop(), mail.stop(), timer?.stop(), watch.stop()])
    await box.post({ is: 'stop' })
    await box.close()
  }
  // What is in hand are publishes of milliseconds, so ending at once and draining are the same.
  return runningService({ name: serviceName, stop: end, abort: end })
}

/** Askers waiting for the actor's answer, by the name of their ask. */
const answerBook = () => {
  const waiting = new Map<string, (answer: TriggerAnswer) => void>()
  return {
    expect: (ask: string) => new Promise<TriggerAnswer>((resolve) => waiting.set(ask, resolve)),
    forget: (ask: string) => void waiting.delete(ask),
    give: (ask: string, answer: TriggerAnswer) => {
      waiting.get(ask)?.(answer)
      waiting.delete(ask)
    },
  }
}

const letterOf = (delivery: Delivery): Letter => ({
  subject: delivery.subject, body: delivery.body, headers: delivery.headers(), stream: delivery.stream, seq: delivery.seq,
  storedAt: delivery.storedAt, deliveries: delivery.deliveryCount,
})

const ackOf = (verdict: Verdict): Ack => {
  switch (verdict.is) {
    case 'done': return { is: 'done' }
    case 'retry-in': return { is: 'again', delayMs: verdict.ms }
    case 'poison': return { is: 'terminate', reason: verdict.reason }
    case 'defer': return { is: 'again', delayMs: 1_000 } // the scheduler never defers
  }
}

export const service: Service<Config> = { name: serviceName, configOf, start }
