/** Knows how to offer endpoints as a NATS micro service. Does not know what they answer. */
import { Svcm } from '@nats-io/services'
import type { Service, ServiceMsg } from '@nats-io/services'
import { E, TE } from '#libs/fp.ts'
import { natsFailureOf, other } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { fromMsgHdrs, oneLine } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import type { Bus } from './connect.ts'

export type ServiceRefusal = { readonly code: number; readonly message: string }

export type ServiceEndpoint = {
  readonly name: string
  readonly subject: string
  readonly queue?: string
  readonly handle: (subject: string, body: Uint8Array, headers: HeaderRecord) => Promise<E.Either<ServiceRefusal, Uint8Array>>
}

export type ServeOptions = {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly queue?: string
  readonly endpoints: ReadonlyArray<ServiceEndpoint>
  readonly onError: (failure: NatsFailure) => void
}

export type Serving = {
  readonly id: string
  readonly inFlight: () => number
  readonly stop: () => Promise<void>
}

/** The library ends a whole service when one endpoint is refused; it is offered again after this, as rights may return. */
const offerAgainMs = 5_000

export const serve =
  (bus: Bus) =>
  (options: ServeOptions): TE.TaskEither<NatsFailure, Serving> =>
  async () => {
    const running = new Set<Promise<void>>()
    let stopping = false
    let again: NodeJS.Timeout | undefined
    const offer = async (): Promise<Service> => {
      const service = await new Svcm(bus.nc).add({
        name: options.name,
        version: options.version,
        description: options.description,
        ...(options.queue === undefined ? {} : { queue: options.queue }),
      })
      for (const endpoint of options.endpoints) {
        service.addEndpoint(endpoint.name, {
          subject: endpoint.subject,
          ...(endpoint.queue === undefined ? {} : { queue: endpoint.queue }),
          handler: (err, msg) => {
            if (err !== null) return options.onError(natsFailureOf(err))
            const work = answer(endpoint, msg, options.onError).finally(() => running.delete(work))
            running.add(work)
          },
        })
      }
      await bus.nc.flush() // listening for sure, before the caller says so
      void service.stopped.then((reason) => {
        if (reason !== null) offerLater(natsFailureOf(reason))
      })
      return service
    }
    const offerLater = (failure: NatsFailure): void => {
      if (stopping || bus.nc.isClosed()) return
      options.onError(failure)
      again = setTimeout(() => void offer().then((service) => (current = service), (cause: unknown) => offerLater(natsFailureOf(cause))), offerAgainMs)
    }
    let current: Service
    try {
      current = await offer()
    } catch (cause) {
      return E.left(natsFailureOf(cause))
    }
    return E.right({
      id: current.info().id,
      inFlight: () => running.size,
      stop: async () => {
        stopping = true
        clearTimeout(again)
        await current.stop()
        while (running.size > 0) await Promise.all(running)
      },
    })
  }

const answer = async (endpoint: ServiceEndpoint, msg: ServiceMsg, onError: ServeOptions['onError']): Promise<void> => {
  try {
    const answered = await endpoint.handle(msg.subject, msg.data, fromMsgHdrs(msg.headers))
    if (answered._tag === 'Right') msg.respond(answered.right)
    else msg.respondError(answered.left.code, oneLine(answered.left.message))
  } catch (cause) {
    onError(other(`endpoint ${endpoint.name} threw: ${String(cause)}`, cause))
    try {
      msg.respondError(500, 'internal error') // the cause stays with us: it may hold what the asker must not see
    } catch {
      // the connection is gone, and with it the asker
    }
  }
}
