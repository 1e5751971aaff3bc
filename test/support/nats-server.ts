/** Knows how to give a test a real nats-server, or three of them. Does not know what is tested. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '#libs/embedded/ports.ts'
import { startNatsServer } from '#libs/embedded/nats-server.ts'
import type { NatsServer, NatsServerOptions } from '#libs/embedded/nats-server.ts'
import { connect } from '#libs/nats/connect.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { ConnectOptions } from '#libs/nats/connect-options.ts'

const host = '127.0.0.1'

export type TestServer = {
  readonly url: string
  readonly port: number
  readonly dir: string
  /** Ends it and removes its directory. */
  readonly stop: () => Promise<void>
  /** SIGKILL; the directory stays, for restart. */
  readonly kill: () => Promise<void>
  /** SIGSTOP, as a machine that stands still. */
  readonly freeze: () => void
  /** SIGCONT. */
  readonly thaw: () => void
  /** Starts it again on the same port and directory, after kill, or after ending it first. */
  readonly restart: () => Promise<void>
}

export type TestServerOptions = Partial<Pick<NatsServerOptions, 'extra' | 'syncInterval' | 'cluster' | 'name' | 'monitorPort'>>

export const startTestServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const dir = await mkdtemp(join(tmpdir(), 'syncline-nats-'))
  return startIn(dir, await freePort(host), options)
}

/** Three servers and one JetStream on loopback; streams with three replicas work when this returns. */
export const startTestCluster = async (
  size = 3,
): Promise<{ readonly urls: ReadonlyArray<string>; readonly servers: ReadonlyArray<TestServer>; readonly stop: () => Promise<void> }> => {
  const clientPorts = await Promise.all(Array.from({ length: size }, () => freePort(host)))
  const routePorts = await Promise.all(Array.from({ length: size }, () => freePort(host)))
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`)
  const servers = await Promise.all(
    clientPorts.map(async (port, i) =>
      startIn(await mkdtemp(join(tmpdir(), `syncline-nats-${i}-`)), port, {
        name: `n${i}`,
        cluster: { name: 'test', port: routePorts[i] ?? 0, routes },
      }),
    ),
  )
  const urls = servers.map(({ url }) => url)
  await untilLed(urls, size)
  return { urls, servers, stop: async () => void (await Promise.all(servers.map((server) => server.stop()))) }
}

export const connectTo = async (
  servers: ReadonlyArray<string> | TestServer,
  options: Partial<ConnectOptions> = {},
): Promise<Bus> => {
  const urls = 'url' in servers ? [servers.url] : servers
  const bus = await connect({ name: 'test', reconnectWaitMs: 100, ...options, servers: urls })()
  if (bus._tag === 'Left') throw new Error(JSON.stringify(bus.left))
  return bus.right
}

const startIn = async (dir: string, port: number, options: TestServerOptions): Promise<TestServer> => {
  const start = async (): Promise<NatsServer> => {
    const server = await startNatsServer({ host, port, storeDir: dir, readyTimeoutMs: 120_000, ...options })()
    if (server._tag === 'Left') throw new Error(server.left.message)
    return server.right
  }
  let server = await start()
  return {
    url: server.url,
    port,
    dir,
    stop: async () => {
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
    kill: () => server.kill(),
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    restart: async () => {
      await server.stop()
      server = await start()
    },
  }
}

const untilLed = async (urls: ReadonlyArray<string>, replicas: number): Promise<void> => {
  const bus = await connectTo(urls)
  for (const deadline = Date.now() + 120_000; ; ) {
    try {
      await bus.jsm.streams.add({ name: 'READY', subjects: ['ready'], num_replicas: replicas })
      await bus.jsm.streams.delete('READY')
      return await bus.close()
    } catch (cause) {
      if (Date.now() > deadline) throw cause
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}
