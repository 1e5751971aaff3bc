import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findNatsServer } from '#libs/embedded/find-nats-server.ts'
import { startNatsServer } from '#libs/embedded/nats-server.ts'
import type { NatsServerOptions } from '#libs/embedded/nats-server.ts'
import { freePort } from '#libs/embedded/ports.ts'
import { toMsgHdrs } from '#libs/nats/headers.ts'
import { provision } from '#libs/nats/provision.ts'
import { connectTo } from '../../support/nats-server.ts'
import { left, right, until } from './right.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'syncline-embedded-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

let count = 0
const start = (options: Partial<NatsServerOptions> = {}) =>
  startNatsServer({ host: '127.0.0.1', port: 0, storeDir: join(dir, `${++count}`), ...options })

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('our own nats-server', () => {
  it('is ready when it says so, with JetStream and the sync interval asked for', async () => {
    const server = await right(start({ monitorPort: await freePort('127.0.0.1'), syncInterval: 'always' }))
    const bus = await connectTo([server.url])
    expect((await bus.jsm.getAccountInfo()).streams).toBe(0)
    const jsz: unknown = await (await fetch(`${server.monitorUrl}/jsz?config=1`)).json()
    expect(JSON.stringify(jsz)).toContain('"sync_always":true')
    await bus.close()
    await server.stop()
    expect(await server.closed).toEqual({ code: 0, signal: null })
  })

  it('takes more open batches at once than the 50 a server allows by itself', async () => {
    const server = await right(start())
    const bus = await connectTo([server.url])
    const buckets = [{ name: 'state', history: 1, allowAtomic: true }]
    await right(provision(bus)({ streams: [], buckets, consumers: [] }, { replicas: 1 }))
    const open = (i: number) =>
      bus.request(`$KV.state.k${i}`, '', 5_000, toMsgHdrs({ 'Nats-Batch-Id': `b${i}`, 'Nats-Batch-Sequence': '1' }))
    const opened = await Promise.all(Array.from({ length: 120 }, (_, i) => open(i)))
    expect(opened.filter((answer) => answer._tag === 'Right' && answer.right.data.length === 0)).toHaveLength(120)
    await bus.close()
    await server.stop()
  })

  it('on a port in use says so and touches nothing', async () => {
    const first = await right(start())
    const storeDir = join(dir, 'untouched')
    const failure = await left(start({ port: first.port, storeDir }))
    expect(existsSync(storeDir)).toBe(false)
    expect(failure).toMatchObject({ is: 'port-in-use' })
    expect(failure.message).toContain(`port ${first.port} on 127.0.0.1 is in use`)
    await first.kill()
    expect((await first.closed).signal).toBe('SIGKILL')
  })

  it('that cannot start shows what it said', async () => {
    const failure = await left(start({ extra: 'this is { no configuration' }))
    expect(failure.is).toBe('not-ready')
    expect(failure.message).toMatch(/ended at once\. It said:\n.*Parse error on line 7/s)
  })

  it('is not found where there is none', async () => {
    expect(await left(findNatsServer({ binary: join(dir, 'none') }))).toEqual({
      is: 'no-binary',
      message: `there is no nats-server at ${join(dir, 'none')}`,
    })
  })

  it('is taken from PATH only when it is new enough', async () => {
    const bin = await mkdtemp(join(dir, 'bin-'))
    const fake = async (version: string) => {
      await writeFile(join(bin, 'nats-server'), `#!/bin/sh\necho nats-server: v${version}\n`)
      await chmod(join(bin, 'nats-server'), 0o755)
      return right(findNatsServer({ path: `/nowhere:${bin}` }))
    }
    expect(await fake('2.9.10')).toContain('nats-embedded')
    expect(await fake('2.14.4')).toBe(join(bin, 'nats-server'))
  })

  it('ends with us, even when we are killed', async () => {
    const script = join(dir, 'parent.ts')
    const module = new URL('../../../libs/embedded/nats-server.ts', import.meta.url).pathname
    await writeFile(
      script,
      `const { startNatsServer } = await import(${JSON.stringify(module)})
       const server = await startNatsServer({ host: '127.0.0.1', port: 0, storeDir: ${JSON.stringify(join(dir, 'child'))} })()
       console.log(server.right.pid)
       setInterval(() => {}, 1000)`,
    )
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (said: Buffer) => resolve(Number(said.toString()))))
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await until(() => !isAlive(pid))
  })
})
