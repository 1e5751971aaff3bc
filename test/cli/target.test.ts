import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import type { Globals } from '../../cli/call.ts'
import { findTarget } from '../../cli/target.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'syncline-target-'))
  mkdirSync(join(home, 'project', 'deep'), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const writeRun = (pid: number): void => {
  mkdirSync(join(home, '.syncline'), { recursive: true })
  writeFileSync(join(home, '.syncline', 'run.json'), JSON.stringify({ pid, natsUrl: 'nats://127.0.0.1:5000', httpUrl: 'http://127.0.0.1:5001', startedAt: '' }))
}
const target = (env: Record<string, string> = {}, flags: Globals = {}) => {
  const found = findTarget({ env, cwd: join(home, 'project', 'deep') }, flags)
  if (E.isLeft(found)) throw new Error(found.left.message)
  return found.right
}

describe('the server that is meant', () => {
  it('is the usual one when nothing is said', () => {
    expect(target()).toMatchObject({ nats: { servers: ['nats://127.0.0.1:4222'] }, from: 'the default', httpUrl: undefined })
  })

  it('is the one that runs in a folder above', () => {
    writeRun(process.pid)
    expect(target()).toMatchObject({ nats: { servers: ['nats://127.0.0.1:5000'] }, from: join(home, '.syncline', 'run.json'), httpUrl: 'http://127.0.0.1:5001' })
  })

  it('is not one whose process is gone, and that is remembered', () => {
    writeRun(2 ** 22 + 1)
    expect(target()).toMatchObject({ from: 'the default', stale: join(home, '.syncline', 'run.json') })
  })

  it('is that of the environment before that of the folder, and that of the flag before both', () => {
    writeRun(process.pid)
    expect(target({ NATS_URL: 'nats://a,nats://b' })).toMatchObject({ nats: { servers: ['nats://a', 'nats://b'] }, from: 'NATS_URL' })
    expect(target({ NATS_URL: 'nats://a' }, { server: 'nats://c', user: 'me', password: 'x' })).toMatchObject({ nats: { servers: ['nats://c'], user: 'me', password: 'x' }, from: '--server' })
  })

  it('is logged in at as the flag says, whatever nkey the environment has', () => {
    const { nats } = target({ NATS_NKEY_FILE: '/run/key' }, { user: 'me', password: 'x' })
    expect(nats).toMatchObject({ user: 'me', password: 'x' })
    expect(nats.nkeyFile).toBeUndefined()
  })

  it('is refused when a user has no password', () => {
    expect(findTarget({ env: {}, cwd: home }, { user: 'me' })).toMatchObject({ left: { code: 2, message: expect.stringContaining('NATS_PASSWORD') as string } })
  })
})
