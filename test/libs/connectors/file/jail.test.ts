import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { E, type TE } from '#libs/fp.ts'
import { createExclusively, writeAtomically } from '#libs/connectors/file/atomic-file.ts'
import { checkName, openJail, readInJail, writeInJail, type Jail } from '#libs/connectors/file/jail.ts'

let outside: string
let root: string
let jail: Jail
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), 'syncline-jail-'))
  root = join(outside, 'root')
  await mkdir(join(root, 'folder'), { recursive: true })
  await writeFile(join(outside, 'secret'), 'secret')
  await writeFile(join(root, 'folder', 'a'), 'inside')
  const opened = await openJail(root)()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  jail = opened.right
})
afterEach(() => rm(outside, { recursive: true }))

const outcome = async <A>(task: TE.TaskEither<{ readonly is: string }, A>): Promise<A | string> => {
  const result = await task()
  return E.isLeft(result) ? result.left.is : result.right
}
const read = (name: string) => outcome(readInJail(jail, name, (file) => file.readFile('utf8')))
const write = (name: string) => outcome(writeInJail(jail, name, (path) => writeAtomically(path, Buffer.from('new'))))

describe('a name', () => {
  it.each(['../secret', 'folder/../../secret', '..', '/etc/passwd', 'a\0b', '', '.', 'a//b', 'a/', './a', 'C:\\x', 'é'.repeat(128), 'a\ud800', '.syncline-tmp-1', `${'a/'.repeat(2000)}b`])(
    '%j is refused', async (name) => {
      expect(checkName(name)).toMatchObject(E.left({ is: 'bad-name' }))
      expect(await read(name)).toBe('bad-name')
      expect(await write(name)).toBe('bad-name')
    })

  it.each(['a', '..a', 'a..', 'folder/é 👩‍👩‍👧', 'x'.repeat(255), 'a\\b', '-rf'])('%j is allowed', (name) => expect(E.isRight(checkName(name))).toBe(true))
})

describe('a file in the root', () => {
  it('is read and written, also through a link that stays inside', async () => {
    expect(await read('folder/a')).toBe('inside')
    await symlink('folder', join(root, 'alias'))
    await symlink('a', join(root, 'folder', 'b'))
    expect(await read('alias/a')).toBe('inside')
    expect(await read('folder/b')).toBe('inside')
    expect(await write('alias/a')).toMatch(/^\d+-3-\d+$/)
    expect(await readFile(join(root, 'folder', 'a'), 'utf8')).toBe('new')
    expect(await outcome(writeInJail(jail, 'folder/c', (path) => createExclusively(path, Buffer.from('c'))))).toMatch(/-1-/)
    expect((await readdir(join(root, 'folder'))).sort()).toEqual(['a', 'b', 'c'])
  })

  it('may be missing, a folder or a pipe', async () => {
    expect(await read('folder/none')).toBe('missing')
    expect(await read('folder/a/b')).toBe('missing')
    expect(await write('none/a')).toBe('missing')
    expect(await read('folder')).toBe('not-a-file')
    expect(await write('folder')).toBe('not-a-file')
    execFileSync('mkfifo', [join(root, 'pipe')])
    expect(await read('pipe')).toBe('not-a-file')
    expect(await outcome(openJail(join(root, 'folder', 'a')))).toBe('not-a-file')
    expect(await outcome(openJail(join(root, 'none')))).toBe('missing')
  })
})

describe('a link out of the root', () => {
  it('is never followed, for reading or writing', async () => {
    await symlink('../secret', join(root, 'file'))
    await symlink('..', join(root, 'up'))
    await symlink('loop', join(root, 'loop'))
    expect(await read('file')).toBe('outside')
    expect(await read('up/secret')).toBe('outside')
    expect(await read('loop')).toBe('outside')
    expect(await write('file')).toBe('not-a-file')
    expect(await write('up/secret')).toBe('outside')
    expect(await write('up/new')).toBe('outside')
    expect(await readdir(outside)).toEqual(['root', 'secret'])
  })

  it('does not win by being swapped in and out during the work', async () => {
    await mkdir(join(outside, 'target'))
    await writeFile(join(outside, 'target', 'a'), 'secret')
    const swap = { on: true }
    const swapper = (async () => {
      await symlink('../target', join(root, 'link'))
      while (swap.on) {
        await rename(join(root, 'folder'), join(root, 'aside'))
        await rename(join(root, 'link'), join(root, 'folder'))
        await new Promise(setImmediate)
        await rename(join(root, 'folder'), join(root, 'link'))
        await rename(join(root, 'aside'), join(root, 'folder'))
        await new Promise(setImmediate)
      }
    })()
    const outcomes = new Set<string>()
    for (let i = 0; i < 300 || (!outcomes.has('inside') && i < 5000); i += 1) {
      outcomes.add(await read('folder/a'))
      await write('folder/w')
    }
    swap.on = false
    await swapper
    expect(outcomes).toContain('inside')
    expect(outcomes).not.toContain('secret')
    expect(await readdir(join(outside, 'target'))).toEqual(['a'])
  })
})
