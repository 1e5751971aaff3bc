/** Knows how to start a redis-server of our own, with an append-only file that is flushed every second. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '#libs/embedded/ports.ts'

export type RedisServer = { readonly port: number; readonly pid: number; readonly stop: () => Promise<void> }

const howToInstall = 'redis-server was not found: install it (Debian, Ubuntu: `apt-get install -y redis-server && systemctl disable --now redis-server`), or name one in REDIS_SERVER_BIN'

export const startRedis = async (): Promise<RedisServer> => {
  const port = await freePort('127.0.0.1')
  const dir = await mkdtemp(join(tmpdir(), 'syncline-redis-'))
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--daemonize', 'no', '--maxmemory-policy', 'noeviction']
  const child = spawn(process.env['REDIS_SERVER_BIN'] ?? 'redis-server', settings, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve('code' in error && error.code === 'ENOENT' ? howToInstall : error.message))
    child.once('exit', (code) => resolve(`redis-server ended with ${code}`))
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const failed = await Promise.race([ended, answers(port)])
  if (failed !== undefined || child.pid === undefined) throw new Error(failed ?? howToInstall)
  return {
    port,
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const answers = async (port: number): Promise<undefined> => {
  while (!(await knock(port))) await sleep(20)
}

const knock = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (answer) => {
      socket.destroy()
      resolve(answer.toString().startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
