/** What users do with the real `nats` command. Skipped by name where it is not installed; .ci/run builds it. */
import { execFile, spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHouse, type House } from '../support/house.ts'
import { patienceMs, until } from '../support/processes.ts'

const env = { ...process.env, PATH: [process.env['PATH'] ?? '', join(homedir(), 'go', 'bin')].join(delimiter) }
const hasNats = spawnSync('nats', ['--version'], { env }).status === 0
const run = promisify(execFile)

describe.skipIf(!hasNats)('with the nats CLI', () => {
  let house: House
  beforeAll(async () => {
    house = await startHouse()
    const a = house.store('contacts-a')
    house.store('contacts-b')
    a.put({ key: 'k', fields: { FN: 'x' } })
    await house.apply({
      id: 'contacts', schedule: { kind: 'manual' },
      flows: [{ id: 'main', direction: 'two-way', kind: 'contact', source: { provider: 'memory', store: 'contacts-a' }, destination: { provider: 'memory', store: 'contacts-b' } }],
    })
  })
  afterAll(() => house.stop())

  const nats = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { stdout, stderr } = await run('nats', ['-s', house.server.url, '--timeout', '30s', ...args], { env, timeout: patienceMs })
    return stdout + stderr
  }

  it('an empty message asks for a run', async () => {
    await nats('pub', 'sync.request.contacts', '')
    expect(await house.result(({ conn }) => conn === 'contacts')).toMatchObject({ outcome: 'succeeded', cause: 'manual' })
  })

  it('a request is answered with the run that was accepted, or why not', async () => {
    await until('it is accepted', async () => (await nats('req', 'sync.trigger.contacts', '')).includes('"answer":"accepted"'))
    expect(await nats('req', 'sync.trigger.contacts', '{"mode":"sideways"}')).toContain('"code":400')
    const unknown = await nats('req', 'sync.trigger.nobody', '')
    expect(unknown).toContain('"code":404')
    expect(unknown).toContain('nobody')
  })

  it('results are a subscription, history is a key, services are listed', async () => {
    const heard = nats('sub', 'sync.result.>', '--count', '1')
    await until('the subscription hears one', async () => {
      await nats('req', 'sync.trigger.contacts', '')
      return Promise.race([heard.then(() => true), new Promise<boolean>((later) => setTimeout(() => later(false), 200))])
    })
    expect(await heard).toContain('sync.result.contacts.succeeded')
    await until('the history has an entry', async () => (await nats('kv', 'history', 'sync_history', 'contacts')).includes('PUT'))
    // It lists who answers within half a second.
    const names = ['conflict-resolver', 'scheduler', 'syncline-tracker']
    await until('all services are listed', async () => {
      const services = await nats('micro', 'ls')
      return names.every((name) => services.includes(name))
    })
  })
})
