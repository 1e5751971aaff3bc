/** Knows how to start and stop a nats-server of our own. Does not know what is stored in it. */
import { Socket } from 'node:net'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, open, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { E, TE } from '#libs/fp.ts'
import { findNatsServer } from './find-nats-server.ts'
import type { NatsServerFailure } from './find-nats-server.ts'
import { configText } from './nats-server-config.ts'
import type { NatsServerConfig } from './nats-server-config.ts'
import { freePort, isFree } from './ports.ts'

export type NatsServerOptions = Omit<NatsServerConfig, 'port'> & {
  /** This binary and no other. */
  readonly binary?: string
  /** The PATH to look in; not given, not looked. */
  readonly path?: string
  /** 0 or -1 = any free one. */
  readonly port: number
  readonly readyTimeoutMs?: number
}

export type NatsServer = {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly pid: number
  readonly binary: string
  readonly monitorUrl?: string
  /** Asks it to end, insists after a while. */
  readonly stop: (timeoutMs?: number) => Promise<void>
  /** Cuts it off like a power switch. */
  readonly kill: () => Promise<void>
  readonly closed: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

export const startNatsServer =
  (options: NatsServerOptions): TE.TaskEither<NatsServerFailure, NatsServer> =>
  async () => {
    const binary = await findNatsServer(options)()
    if (binary._tag === 'Left') return binary
    const port = options.port > 0 ? options.port : await freePort(options.host)
    // before the server opens its store: two servers in one store directory ruin it
    if (!(await isFree(options.host, port))) {
      const message = `port ${port} on ${options.host} is in use; is another server running? Choose another port, or use that server`
      return E.left({ is: 'port-in-use', message })
    }
    try {
      await mkdir(options.storeDir, { recursive: true })
      const configFile = join(options.storeDir, 'nats-server.conf')
      await writeFile(configFile, configText({ ...options, port }))
      return await whenReady(options, binary.right, port, configFile)
    } catch (cause) {
      return E.left({ is: 'not-ready', message: `cannot start nats-server: ${String(cause)}` })
    }
  }

const whenReady = async (
  options: NatsServerOptions,
  binary: string,
  port: number,
  configFile: string,
): Promise<E.Either<NatsServerFailure, NatsServer>> => {
  // Into a file, not to us: when we are killed, a server that writes to our pipe dies of SIGPIPE before it has shut down,
  // and what it had not yet written down is lost
  const log = await open(join(options.storeDir, 'nats-server.log'), 'w+')
  // a group of its own: Ctrl-C must reach our services first, and the server after they have drained
  const child = spawn(binary, ['-c', configFile], { detached: true, stdio: ['ignore', 'ignore', log.fd] })
  const closed = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const { outcome, tail } = await whatCame(log, closed, options.readyTimeoutMs ?? 30_000).finally(() => log.close())
  if (outcome !== 'ready' || child.pid === undefined) {
    child.kill('SIGKILL')
    const said = tail.length === 0 ? 'It said nothing.' : `It said:\n${tail.join('\n')}`
    if (tail.some((line) => line.includes('address already in use')))
      return E.left({ is: 'port-in-use', message: `a port of nats-server is in use. ${said}` })
    const how = outcome === 'ended' ? 'ended at once' : 'was not ready in time'
    return E.left({ is: 'not-ready', message: `nats-server (${binary}) ${how}. ${said}` })
  }
  const release = dieTogether(child, child.pid)
  void closed.then(release)
  return E.right({
    url: `nats://${options.host}:${port}`,
    host: options.host,
    port,
    pid: child.pid,
    binary,
    ...(options.monitorPort === undefined ? {} : { monitorUrl: `http://${options.host}:${options.monitorPort}` }),
    closed,
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
    stop: async (timeoutMs = 10_000) => {
      child.kill('SIGTERM')
      const insist = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      await closed
      clearTimeout(insist)
    },
  })
}

/** However our process ends, kill -9 included: the pipe to this little shell closes, and it ends the server. */
const dieTogether = (child: ChildProcess, pid: number): (() => void) => {
  const atExit = () => void child.kill('SIGKILL')
  process.once('exit', atExit)
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -TERM "$1"', 'sh', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => undefined) // no shell here: then the exit hook has to do
  guard.unref()
  const pipe = guard.stdin
  if (pipe !== null) {
    pipe.on('error', () => undefined)
    if (pipe instanceof Socket) pipe.unref() // its type knows only the stream, its object is a socket
  }
  return () => {
    process.removeListener('exit', atExit)
    guard.kill('SIGKILL') // first of all, or it might one day end a stranger with the same pid
  }
}

const lookEveryMs = 10
const mostRead = 256 * 1024

/** Reads the log until it says that the server is ready, the server has ended, or the time is over. */
const whatCame = async (log: FileHandle, closed: Promise<unknown>, withinMs: number): Promise<{ readonly outcome: 'ready' | 'ended' | 'late'; readonly tail: ReadonlyArray<string> }> => {
  const giveUpAt = performance.now() + withinMs
  let hasEnded = false
  void closed.then(() => (hasEnded = true))
  for (;;) {
    const outcome = hasEnded ? 'ended' : performance.now() > giveUpAt ? 'late' : undefined
    const { bytesRead, buffer } = await log.read(Buffer.alloc(mostRead), 0, mostRead, 0)
    const said = buffer.toString('utf8', 0, bytesRead)
    const tail = said.split('\n').slice(-31)
    if (said.includes('Server is ready')) return { outcome: 'ready', tail }
    if (outcome !== undefined) return { outcome, tail }
    await sleep(lookEveryMs)
  }
}
