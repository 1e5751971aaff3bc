import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const majorOf = (node: string): number => {
  const { error, stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  return error === undefined ? Number.parseInt(stdout, 10) : Number.NaN // NaN: no node in this folder
}
const older = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((node) => majorOf(node) < 24)

/** Stands in for cli/main.ts: says who runs it, then does what its first argument asks. */
const cli = `
const [what, ...rest]: string[] = process.argv.slice(2)
console.log(JSON.stringify({ major: Number.parseInt(process.versions.node, 10), rest }))
if (what === 'exit') process.exitCode = Number(rest[0])
if (what === 'die') process.kill(process.pid, 'SIGKILL')
if (what === 'echo') process.stdin.pipe(process.stdout)
if (what === 'hold') {
  let interrupts = 0
  const forever = setInterval(() => undefined, 1_000)
  process.on('SIGTERM', () => clearInterval(forever))
  process.on('SIGINT', () => {
    if (++interrupts > 1) return
    setTimeout(() => { clearInterval(forever); console.log('interrupted', interrupts); process.exitCode = 7 }, 200)
  })
  console.log('holding')
}
`

describe.each([
  ['the Node of the repository', process.execPath],
  ['an older Node', older],
])('syncline started by %s', (_name, node) => {
  let home = ''
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'syncline-launcher-'))
    await Promise.all([mkdir(join(home, 'bin')), mkdir(join(home, 'cli'))])
    await cp(join(root, 'bin/syncline.mjs'), join(home, 'bin/syncline.mjs'))
    await symlink(join(root, 'node_modules'), join(home, 'node_modules'))
    await writeFile(join(home, 'package.json'), '{ "type": "module" }')
    await writeFile(join(home, 'cli/main.ts'), cli)
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  const test = it.skipIf(node === undefined)
  const start = (...args: string[]): ChildProcess =>
    spawn(node ?? '', [join(home, 'bin/syncline.mjs'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const outputOf = async (child: ChildProcess) => (child.stdout === null ? '' : text(child.stdout))

  test('runs the command line on Node 24 with the same arguments', async () => {
    const [first] = (await outputOf(start('say', 'a b', '--x'))).split('\n')
    expect(JSON.parse(first ?? '')).toEqual({ major: 24, rest: ['a b', '--x'] })
  })

  test('ends as the command line ended', async () => {
    expect(await once(start('exit', '3'), 'exit')).toEqual([3, null])
    expect(await once(start('die'), 'exit')).toEqual([null, 'SIGKILL'])
  })

  test('passes its input on', async () => {
    const child = start('echo')
    child.stdin?.end('hello')
    expect(await outputOf(child)).toContain('hello')
  })

  test('passes Ctrl-C on exactly once', async () => {
    const child = start('hold')
    const said = outputOf(child)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('holding')) child.kill('SIGINT')
    })
    expect(await once(child, 'exit')).toEqual([7, null])
    expect(await said).toContain('interrupted 1')
  })

  test('leaves nothing running when it is killed itself', async () => {
    const child = start('hold')
    const said = outputOf(child) // ends when the last holder of the pipe does
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('holding')) child.kill('SIGKILL')
    })
    expect(await said).toContain('holding')
  })
})

describe('a checkout without its dependencies', () => {
  it.skipIf(older === undefined)('says what to do', async () => {
    const bare = await mkdtemp(join(tmpdir(), 'syncline-bare-'))
    await mkdir(join(bare, 'bin'))
    await cp(join(root, 'bin/syncline.mjs'), join(bare, 'bin/syncline.mjs'))
    const ended = spawnSync(older ?? '', [join(bare, 'bin/syncline.mjs')])
    await rm(bare, { recursive: true, force: true })
    expect(ended.status).toBe(1)
    expect(ended.stderr.toString()).toContain('Run "npm ci" there')
  })
})
