/** Knows one server process: its launch, its log, why it did not start, its end. Does not know how its data came to be. */
import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { E } from '#libs/fp.ts'
import { failure, type Account, type Binaries, type PostgresFailure } from './postgres-binaries.ts'
import { plainEnvironment } from './postgres-data.ts'

export type Running = {
  readonly pid: number
  /** Ends open transactions and shuts down cleanly; insists after a while. */
  readonly stop: () => Promise<void>
  /** Cuts it off like a power switch. */
  readonly kill: () => Promise<void>
  readonly closed: Promise<void>
}
type LaunchOptions = { readonly dataDir: string; readonly durable?: boolean; readonly settings?: { readonly [name: string]: string } }

export const launch = async (options: LaunchOptions, account: Account, { postgres }: Binaries, port: number, giveUpAt: number): Promise<E.Either<PostgresFailure, Running>> => {
  const { dataDir } = options
  const settings = {
    listen_addresses: '127.0.0.1', unix_socket_directories: '', logging_collector: 'off',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  }
  // The directory belongs to the lent account: a link it might have put there must not lead root astray.
  const log = await open(join(dataDir, 'server.log'), constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o600)
  try {
    if ((await log.stat()).size > 16 * 1024 * 1024) await log.truncate()
    const from = (await log.stat()).size
    const child = spawn(postgres, ['-D', dataDir, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
      cwd: dirname(dataDir), env: plainEnvironment, stdio: ['ignore', log.fd, log.fd],
      // A group of its own: Ctrl-C must reach our services first, and the server after they have drained.
      detached: true,
      ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
    })
    const closed = new Promise<void>((over) => {
      child.once('exit', () => over())
      child.once('error', () => over())
    })
    const { pid } = child
    while (pid !== undefined && child.exitCode === null && child.signalCode === null && performance.now() < giveUpAt) {
      if (await isReady(dataDir, pid)) return E.right(handleOf(child, pid, closed))
      await Promise.race([closed, sleep(20)])
    }
    const hasEnded = pid === undefined || child.exitCode !== null || child.signalCode !== null
    child.kill('SIGKILL')
    await closed
    const tail = Buffer.alloc(64 * 1024)
    const { bytesRead } = await log.read(tail, 0, tail.length, from)
    return whyNot(tail.toString('utf8', 0, bytesRead).trim(), hasEnded, dataDir, port, postgres)
  } finally {
    await log.close()
  }
}

/** The way pg_ctl does it: line 1 of postmaster.pid is the server's pid, line 8 its state. */
const isReady = async (dataDir: string, pid: number): Promise<boolean> => {
  const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
}

const whyNot = (said: string, hasEnded: boolean, dataDir: string, port: number, postgres: string): E.Either<PostgresFailure, never> => {
  if (said.includes('Address already in use')) return failure('port-in-use', `port ${port} on 127.0.0.1 is in use; is another server running? Choose another port, or use that server`)
  const owner = /lock file "postmaster.pid" already exists[^]*?\(PID (\d+)\)/.exec(said)?.[1]
  if (owner !== undefined) return failure('data-in-use', `${dataDir} is in use by another PostgreSQL, process ${owner}; stop it, or choose another data directory`)
  const how = hasEnded ? 'ended at once' : 'was not ready in time'
  return failure('not-ready', `PostgreSQL (${postgres}) ${how}. ${said === '' ? 'It said nothing.' : `It said:\n${said.split('\n').slice(-10).join('\n')}`}`)
}

const handleOf = (child: ChildProcess, pid: number, closed: Promise<void>): Running => {
  const release = dieTogether(child, pid)
  void closed.then(release)
  return {
    pid, closed,
    kill: async () => {
      child.ref()
      child.kill('SIGKILL')
      await closed
    },
    stop: async () => {
      child.ref()
      child.kill('SIGINT')
      const insist = [setTimeout(() => child.kill('SIGQUIT'), 10_000), setTimeout(() => child.kill('SIGKILL'), 15_000)]
      await closed
      insist.forEach(clearTimeout)
    },
  }
}

/** However our process ends, kill -9 included: the pipe to this little shell closes, and it ends the server. */
const dieTogether = (child: ChildProcess, pid: number): (() => void) => {
  const atExit = () => void child.kill('SIGINT')
  process.once('exit', atExit)
  child.unref()
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$1"', 'sh', String(pid)], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.on('error', () => undefined)
  guard.unref()
  guard.stdin.on('error', () => undefined)
  // Node makes it a socket; the type knows only a stream.
  ;(guard.stdin as { readonly unref?: () => void }).unref?.()
  return () => {
    process.removeListener('exit', atExit)
    // First of all, or it might one day end a stranger with the same pid.
    guard.kill('SIGKILL')
  }
}
