/**
 * The walk-throughs of docs/operating.md, run as they are written there: every command by a shell, the services as processes
 * of their own. What a command prints must begin as the page says; only times, ids and widths of columns may differ.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { E } from '#libs/fp.ts'
import { provision } from '#libs/nats/provision.ts'
import { connectTo, startTestServer, type TestServer } from '../support/nats-server.ts'
import { patienceMs, startProcess, type ServiceProcess } from '../support/processes.ts'
import { walksIn, type Step } from '../support/walk.ts'

const root = join(import.meta.dirname, '../..')
const walks = walksIn(await readFile(join(root, 'docs/operating.md'), 'utf8'))

let server: TestServer
const services: Array<ServiceProcess> = []
let folder: string
let bin: string
beforeAll(async () => {
  server = await startTestServer()
  const bus = await connectTo(server)
  const provisioned = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()
  await bus.close()
  expect(E.isRight(provisioned)).toBe(true)
  // Nobody listens there
  const env = { NATS_URL: server.url, TRACKER_HTTP_PORT: '0', ROWS_URL: 'postgres://rows@127.0.0.1:15999/rows' }
  services.push(...await Promise.all(['scheduler', 'sync-worker', 'conflict-resolver', 'tracker'].map((service) => startProcess(service, env))))
  folder = await mkdtemp(join(tmpdir(), 'syncline-walk-'))
  // npm's own npx takes seconds to find what stands beside it
  bin = await mkdtemp(join(tmpdir(), 'syncline-npx-'))
  await writeFile(join(bin, 'npx'), `#!/bin/sh\n[ "$1" = syncline ] || exit 127\nshift\nexec '${process.execPath}' '${join(root, 'bin/syncline.mjs')}' "$@"\n`, { mode: 0o755 })
})
afterAll(async () => {
  await Promise.all(services.map((one) => one.kill('SIGKILL')))
  await server.stop()
  await rm(folder, { recursive: true, force: true })
  await rm(bin, { recursive: true, force: true })
})

const shell = async (script: string): Promise<{ readonly code: number; readonly output: string }> => {
  const child = spawn('sh', ['-c', script], {
    cwd: folder, stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: folder, USER: 'ada', NATS_URL: server.url },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, output }
}

/** Ids, times and the padding of columns are not what the page promises. */
const plain = (text: string): ReadonlyArray<string> =>
  text.trimEnd().split('\n').map((line) => line
    .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<run>')
    .replace(/\b[0-9a-f]{32}\b/g, '<trace>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(folder, '…')
    .replace(/\b\d+(ms|s|m|h)( ago)?(?!\w)/g, '<time>')
    .replace(/\s+/g, ' ').trim())

/** The page may end a line with … and leave the last lines out. */
const isAsWritten = (printed: string, written: ReadonlyArray<string>): boolean => {
  const lines = plain(printed)
  return plain(written.join('\n')).filter((line) => line !== '').every((line, n) => (line.endsWith('…') ? lines[n]?.startsWith(line.slice(0, -1)) === true : lines[n] === line))
}

/** The tracker hears of a run's end a moment later, and a run is still busy for a moment: then it is simply asked again. */
const isWorthAnother = (step: Step, code: number): boolean => code === 4 || /syncline (history|status|audit|dlq ls|dlq show|explain)/.test(step.command)

const play = async (step: Step): Promise<void> => {
  for (const end = Date.now() + patienceMs; ;) {
    const { code, output } = await shell(step.command)
    const isRight = isAsWritten(output, step.output) && (step.output.length === 0 ? code === 0 : code === step.code)
    if (isRight) return
    if (isWorthAnother(step, code) && Date.now() < end) continue
    expect({ command: step.command, code, output: plain(output) }).toEqual({ command: step.command, code: step.code, output: plain(step.output.join('\n')) })
    throw new Error(`"${step.command}" ended with ${code}`)
  }
}

describe('docs/operating.md', () => {
  it('has the walk-throughs that are promised', () => {
    expect([...walks.keys()]).toEqual(['dead letters', 'held plans', 'a loop'])
  })

  for (const [name, steps] of walks) {
    it(`can be followed as it is written: ${name}`, async () => {
      for (const step of steps) await play(step)
      // Two dozen starts of Node, which on a busy machine take seconds each
    }, 20 * patienceMs)
  }
})
