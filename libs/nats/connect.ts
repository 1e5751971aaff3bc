/** Knows how to reach NATS and to stay connected. Does not know streams, subjects or who is calling. */
import { jetstreamManager } from '@nats-io/jetstream'
import type { JetStreamManager } from '@nats-io/jetstream'
import { connect as dial } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { E, TE } from '#libs/fp.ts'
import { connectionOptions } from './connect-options.ts'
import type { ConnectOptions } from './connect-options.ts'
import { natsFailureOf, other } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { startMux } from './mux.ts'
import type { Mux } from './mux.ts'

/** A connection, and what the other files of this folder need of it. Services pass it on, they do not look inside. */
export type Bus = {
  readonly nc: NatsConnection
  readonly jsm: JetStreamManager
  readonly request: Mux['request']
  readonly ask: Mux['ask']
  readonly tell: Mux['tell']
  readonly inboxPrefix: string
  readonly isConnected: () => boolean
  readonly maxPayload: () => number
  readonly serverVersion: () => string
  /** Each returns the function that takes the listener off again. */
  readonly onReconnect: (listener: () => void) => () => void
  readonly onDisconnect: (listener: () => void) => () => void
  /** What the server objects to outside any request, permission violations above all. */
  readonly onFailure: (listener: (failure: NatsFailure) => void) => () => void
  /** Resolves when the connection has ended for good; with the reason when it was not asked to. */
  readonly closed: Promise<NatsFailure | undefined>
  readonly rtt: TE.TaskEither<NatsFailure, number>
  readonly flush: TE.TaskEither<NatsFailure, void>
  readonly drain: () => Promise<void>
  readonly close: () => Promise<void>
}

export const connect = (options: ConnectOptions): TE.TaskEither<NatsFailure, Bus> => async () => {
  try {
    const nc = await dial(connectionOptions(options))
    return E.right(await busOf(nc, options))
  } catch (cause) {
    const failure = natsFailureOf(cause)
    if (failure.is === 'denied') return E.left(failure)
    const why = failure.is === 'other' ? failure.message : failure.is
    return E.left(other(`cannot connect to NATS at ${options.servers.map(withoutSecrets).join(', ')}: ${why}`, cause))
  }
}

const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/, '//')

const busOf = async (nc: NatsConnection, options: ConnectOptions): Promise<Bus> => {
  const failures = listeners<NatsFailure>(() => undefined)
  const afterThrow = (cause: unknown) => failures.tell(other(`a listener threw: ${String(cause)}`, cause))
  const reconnect = listeners<void>(afterThrow)
  const disconnect = listeners<void>(afterThrow)
  let connected = true
  const mux = startMux(nc, options.inboxPrefix ?? '_INBOX', () => connected)
  void watchStatus(nc, (status) => {
    if (status.type === 'disconnect') {
      connected = false
      mux.cutOff()
      disconnect.tell()
    } else if (status.type === 'reconnect') {
      connected = true
      reconnect.tell()
    } else if (status.type === 'error') {
      const failure = natsFailureOf(status.error)
      if (failure.is === 'denied' && failure.subject !== undefined) mux.denied(failure.subject, failure)
      failures.tell(failure)
    }
  })
  const closed = nc.closed().then((reason) => {
    connected = false
    mux.cutOff()
    return reason === undefined || reason === null ? undefined : natsFailureOf(reason)
  })
  return {
    nc,
    jsm: await jetstreamManager(nc, { checkAPI: false }), // the check needs a right that services do not have
    request: mux.request,
    ask: mux.ask,
    tell: mux.tell,
    inboxPrefix: options.inboxPrefix ?? '_INBOX',
    isConnected: () => connected,
    maxPayload: () => nc.info?.max_payload ?? 1024 * 1024,
    serverVersion: () => nc.info?.version ?? '0.0.0',
    onReconnect: reconnect.add,
    onDisconnect: disconnect.add,
    onFailure: failures.add,
    closed,
    rtt: TE.tryCatch(() => nc.rtt(), natsFailureOf),
    flush: TE.tryCatch(() => {
      mux.sendNow()
      return nc.flush()
    }, natsFailureOf),
    drain: async () => {
      mux.sendNow()
      if (!nc.isClosed()) await nc.drain().catch(() => nc.close())
    },
    close: () => {
      mux.sendNow()
      return nc.close()
    },
  }
}

/** The only reader of the status queue: it grows without bound while nobody reads (NATS.md §15). */
const watchStatus = async (nc: NatsConnection, on: (status: StatusOf) => void): Promise<void> => {
  for await (const status of nc.status()) on(status)
}

type StatusOf = ReturnType<NatsConnection['status']> extends AsyncIterable<infer S> ? S : never

/** A listener's throw must not end the reading of the status, nor keep the news from the next listener. */
const listeners = <T>(onThrow: (cause: unknown) => void) => {
  const all = new Set<(value: T) => void>()
  return {
    add: (listener: (value: T) => void) => {
      all.add(listener)
      return () => void all.delete(listener)
    },
    tell: (value: T) => {
      for (const listener of [...all])
        try {
          listener(value)
        } catch (cause) {
          onThrow(cause)
        }
    },
  }
}
