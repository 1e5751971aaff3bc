import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { runningService, runProcess, type ProcessRun, type RunningService } from '#libs/actor/lifecycle.ts'
import type { Host } from '#libs/actor/signals.ts'
import { silentLog } from '#libs/telemetry/log.ts'

const rig = (services: Record<string, () => Promise<void>>, more: Partial<ProcessRun> = {}) => {
  const host = new EventEmitter() as EventEmitter & Host
  const told: Array<string> = []
  const say = (event: string) => void told.push(event)
  const ready = Promise.withResolvers<void>()
  const slept = Promise.withResolvers<void>()
  const service = (name: string, stop: () => Promise<void>): RunningService => ({
    name,
    stop: () => (told.push(`stop ${name}`), stop()),
    abort: async () => void told.push(`abort ${name}`),
  })
  const run: ProcessRun = {
    services: async () => Object.entries(services).map(([name, stop]) => service(name, stop)),
    log: { ...silentLog, info: say, warn: say, error: say },
    host,
    onReady: () => ready.resolve(),
    clock: { now: () => 0, monotonic: () => 0, sleep: () => slept.promise },
    ...more,
  }
  return { host, told, run, ending: runProcess(run), ready: ready.promise, timeUp: () => slept.resolve() }
}
const soon = async () => undefined
const never = () => new Promise<void>(() => undefined)

describe('a process of services', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('drains them in their order on %s and ends well', async (signal) => {
    const { host, told, ending, ready } = rig({ sources: soon, worker: soon })
    await ready
    host.emit(signal)
    expect(await ending).toBe(0)
    expect(told).toEqual(['process.ready', 'service.stopping', 'stop sources', 'service.stopped', 'stop worker', 'service.stopped', 'process.stopped'])
    expect(host.listenerCount(signal)).toBe(0)
  })

  it('aborts them at once on a second signal, with the exit code of that signal', async () => {
    const { host, told, ending, ready } = rig({ worker: never })
    await ready
    host.emit('SIGTERM')
    host.emit('SIGINT')
    expect(await ending).toBe(130)
    expect(told.slice(-2)).toEqual(['process.stop-cut-short', 'abort worker'])
  })

  it('does so as well when the terminal goes away', async () => {
    const { host, ending, ready } = rig({ worker: never })
    await ready
    host.emit('SIGTERM')
    host.emit('SIGHUP')
    expect(await ending).toBe(129)
  })

  it('aborts them when the time is up, and says that it timed out', async () => {
    const { host, told, ending, ready, timeUp } = rig({ worker: never })
    await ready
    host.emit('SIGTERM')
    timeUp()
    expect(await ending).toBe(1)
    expect(told.slice(-2)).toEqual(['process.stop-timed-out', 'abort worker'])
  })

  it('stops the others when one fails to stop, and ends badly', async () => {
    const { host, told, ending, ready } = rig({ bad: () => Promise.reject(new Error('oops')), good: soon })
    await ready
    host.emit('SIGTERM')
    expect(await ending).toBe(1)
    expect(told).toContain('stop good')
  })

  it('obeys a signal that came during the start once it has started, and a second one at once', async () => {
    const starting = Promise.withResolvers<ReadonlyArray<RunningService>>()
    const first = rig({}, { services: () => starting.promise })
    first.host.emit('SIGTERM')
    starting.resolve([])
    expect(await first.ending).toBe(0)
    const second = rig({}, { services: () => never().then(() => []) })
    second.host.emit('SIGINT')
    second.host.emit('SIGTERM')
    expect(await second.ending).toBe(143)
  })

  it('ends badly when the start fails', async () => {
    const { ending, told } = rig({}, { services: () => Promise.reject(new Error('port in use')) })
    expect(await ending).toBe(1)
    expect(told).toEqual(['service.failed'])
  })

  it('aborts all when what it stands on breaks', async () => {
    const { ending, told } = rig({ worker: never }, { broken: Promise.resolve('connection closed') })
    expect(await ending).toBe(1)
    expect(told.slice(-2)).toEqual(['process.broken', 'abort worker'])
  })

  it('is started once: a second start warns and joins the first', async () => {
    const { host, told, run, ending, ready } = rig({ worker: soon })
    const again = runProcess(run)
    await ready
    host.emit('SIGTERM')
    expect([await ending, await again]).toEqual([0, 0])
    expect(told.filter((event) => event === 'stop worker' || event === 'process.already-running')).toEqual(['process.already-running', 'stop worker'])
  })
})

describe('a running service', () => {
  it('stops once and aborts once, whoever asks', async () => {
    const told: Array<string> = []
    const service = runningService({ name: 'x', stop: async () => void told.push('stop'), abort: async () => void told.push('abort') })
    await Promise.all([service.stop(), service.stop()])
    await Promise.all([service.abort(), service.abort(), service.stop()])
    expect(told).toEqual(['stop', 'abort'])
  })
})
