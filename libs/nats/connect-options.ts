/** Knows how a connection is asked for, and what the client library is told. Does not connect. */
import { credsAuthenticator, nkeyAuthenticator, tokenAuthenticator, usernamePasswordAuthenticator } from '@nats-io/transport-node'
import type { Authenticator, NodeConnectionOptions } from '@nats-io/transport-node'

export type Credentials =
  | { readonly by: 'creds'; readonly creds: string }
  | { readonly by: 'nkey'; readonly seed: string }
  | { readonly by: 'password'; readonly user: string; readonly password: string }
  | { readonly by: 'token'; readonly token: string }

export type Tls = {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly handshakeFirst?: boolean
}

export type ConnectOptions = {
  readonly servers: ReadonlyArray<string>
  readonly name: string
  /** One prefix per service user, so that services cannot read each other's answers (NATS.md §12.1). */
  readonly inboxPrefix?: string
  readonly credentials?: Credentials
  readonly tls?: Tls
  /** Keep trying when nothing listens yet. Off: a failure that names the servers. */
  readonly waitOnFirstConnect?: boolean
  readonly reconnectWaitMs?: number
}

export const connectionOptions = (options: ConnectOptions): NodeConnectionOptions => ({
  servers: [...options.servers],
  name: options.name,
  maxReconnectAttempts: -1, // the default of 10 ends the connection for good (NATS.md §15)
  reconnectTimeWait: options.reconnectWaitMs ?? 500,
  reconnectJitter: 200,
  ignoreAuthErrorAbort: false, // credentials refused twice end it, with the reason; retrying them for ever would hide it
  pingInterval: 10_000, // the default notices a dead peer after 4 minutes, a lease is lost after 30 seconds
  maxPingOut: 2,
  waitOnFirstConnect: options.waitOnFirstConnect ?? false,
  noAsyncTraces: true, // a stack per request costs more than the request; failures name their subject instead
  ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
  ...(options.credentials === undefined ? {} : { authenticator: authenticatorOf(options.credentials) }),
  ...(options.tls === undefined ? {} : { tls: { ...options.tls } }),
})

const authenticatorOf = (credentials: Credentials): Authenticator => {
  const bytes = (text: string) => new TextEncoder().encode(text.trim())
  switch (credentials.by) {
    case 'creds':
      return credsAuthenticator(bytes(credentials.creds))
    case 'nkey':
      return nkeyAuthenticator(bytes(credentials.seed))
    case 'password':
      return usernamePasswordAuthenticator(credentials.user, credentials.password)
    case 'token':
      return tokenAuthenticator(credentials.token)
  }
}
