/** Services as processes of their own, plain Node, as an operator would start them. Output is kept for the failing test. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export type ServiceProcess = {
  readonly name: string
  readonly child: ChildProcess
  readonly output: () => string
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
}

const root = join(import.meta.dirname, '../..')

/** Until something is taken for hung. Nothing is asserted by it: on a busy machine everything takes ten times as long. */
export const patienceMs = 120_000

export const startProcess = async (service: string, env: Readonly<Record<string, string>>, readyWithinMs = 2 * patienceMs): Promise<ServiceProcess> => {
  const child = spawn(process.execPath, [`services/${service}/main.ts`], { cwd: root, env: { PATH: process.env['PATH'] ?? '', SYNCLINE_LOG_LEVEL: 'info', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ready = Promise.withResolvers<void>()
  const take = (chunk: Buffer): void => {
    output += chunk.toString()
    if (output.includes('service.started')) ready.resolve()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  child.once('exit', (code) => ready.reject(new Error(`${service} ended with ${code} before it was ready:\n${output}`)))
  const timer = setTimeout(() => ready.reject(new Error(`${service} was not ready within ${readyWithinMs} ms:\n${output}`)), readyWithinMs)
  await ready.promise
  clearTimeout(timer)
  return {
    name: service,
    child,
    output: () => output,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    },
  }
}

/** Looks again and again until the condition holds; for what only shows outside this process. */
export const until = async (what: string, holds: () => Promise<boolean> | boolean, withinMs = patienceMs): Promise<void> => {
  const end = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
