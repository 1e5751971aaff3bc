import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { E } from '#libs/fp.ts'
import { claimFolder, type Claim } from '../../../cli/up/claim.ts'
import { exitCodes } from '../../../cli/exit-codes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const folder = async (): Promise<string> => {
  const { path, remove } = await temporaryFolder()
  onTestFinished(remove)
  return path
}
const claimed = async (dir: string): Promise<Claim> => {
  const claim = await claimFolder(dir)()
  if (E.isLeft(claim)) throw new Error(claim.left.message)
  return claim.right
}
const run = { pid: process.pid, natsUrl: 'nats://127.0.0.1:4222', httpUrl: 'http://127.0.0.1:4280', startedAt: '2026-01-01T10:00:00.000Z' }

describe('a folder in use', () => {
  it('is refused to the next, who is told by whom and where', async () => {
    const dir = join(await folder(), 'made', 'anew')
    const first = await claimed(dir)
    await first.tell(run)
    const second = await claimFolder(dir)()
    expect(second).toMatchObject(E.left({ code: exitCodes.busy }))
    expect(E.isLeft(second) && second.left.message).toBe(`syncline is already running in ${dir} (process ${process.pid}, since ${run.startedAt}): NATS at ${run.natsUrl}, HTTP at ${run.httpUrl}`)
    expect(JSON.parse(await readFile(join(dir, 'run.json'), 'utf8'))).toEqual(run)
  })

  it('is free again after its release, without a trace', async () => {
    const dir = await folder()
    const first = await claimed(dir)
    await first.tell(run)
    expect(first.wasCutOff).toBe(false)
    await first.release()
    expect(['up.lock', 'run.json'].map((name) => existsSync(join(dir, name)))).toEqual([false, false])
    await claimed(dir)
  })
})

describe('what a killed process left', () => {
  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, mark: '1' })],
    ['a pid that is another process by now', JSON.stringify({ pid: process.pid, mark: 'another time' })],
  ])('is taken over: %s', async (_, lock) => {
    const dir = await folder()
    await writeFile(join(dir, 'up.lock'), lock)
    await writeFile(join(dir, 'run.json'), JSON.stringify(run))
    expect((await claimed(dir)).wasCutOff).toBe(true)
    expect(existsSync(join(dir, 'run.json'))).toBe(false)
  })
})

it('of many starts at once exactly one has the folder', async () => {
  const dir = await folder()
  await writeFile(join(dir, 'up.lock'), JSON.stringify({ pid: 2 ** 22 + 1, mark: '1' }))
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimFolder(dir)()))
  expect(claims.filter(E.isRight)).toHaveLength(1)
})
