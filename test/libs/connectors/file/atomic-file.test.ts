import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { E, O, type TE } from '#libs/fp.ts'
import { createExclusively, isTemporary, removeIf, replaceIf, sweepTemporaries, versionOf, writeAtomically, type FileFault } from '#libs/connectors/file/atomic-file.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncline-atomic-'))
  path = join(folder, 'a.vcf')
})
afterEach(() => rm(folder, { recursive: true }))

const done = async <A>(task: TE.TaskEither<FileFault, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}
const fault = async (task: TE.TaskEither<FileFault, unknown>): Promise<string> => {
  const result = await task()
  return E.isLeft(result) ? result.left.is : 'none'
}
const bytes = (text: string): Uint8Array => Buffer.from(text)
const onlyFile = async (text: string): Promise<void> => {
  expect(await readdir(folder)).toEqual(['a.vcf'])
  expect(await readFile(path, 'utf8')).toBe(text)
}

describe('a file written', () => {
  it('is whole, alone in its folder, and has the version it was answered', async () => {
    expect(await done(versionOf(path))).toEqual(O.none)
    const version = await done(writeAtomically(path, bytes('one')))
    expect(await done(versionOf(path))).toEqual(O.some(version))
    expect(version).toMatch(/^\d{15,}-3-\d+$/)
    const next = await done(writeAtomically(path, bytes('two')))
    expect(next).not.toBe(version)
    await onlyFile('two')
  })

  it('keeps the mode of the one it replaces', async () => {
    await writeFile(path, 'one')
    await chmod(path, 0o640)
    await done(writeAtomically(path, bytes('two')))
    expect((await stat(path)).mode & 0o777).toBe(0o640)
  })

  it('never takes the place of a folder or a link', async () => {
    await mkdir(path)
    expect(await fault(writeAtomically(path, bytes('x')))).toBe('not-a-file')
    await symlink('/etc/passwd', join(folder, 'link'))
    expect(await fault(writeAtomically(join(folder, 'link'), bytes('x')))).toBe('not-a-file')
    expect(await fault(versionOf(join(folder, 'link')))).toBe('not-a-file')
  })

  it('is missing its folder when that is not there', async () => {
    expect(await fault(writeAtomically(join(folder, 'no', 'a'), bytes('x')))).toBe('missing')
  })
})

describe('a precondition', () => {
  it('lets a file be created only where there is nothing', async () => {
    await done(createExclusively(path, bytes('one')))
    expect(await fault(createExclusively(path, bytes('two')))).toBe('exists')
    await symlink('nowhere', join(folder, 'link'))
    expect(await fault(createExclusively(join(folder, 'link'), bytes('two')))).toBe('exists')
    await rm(join(folder, 'link'))
    await onlyFile('one')
  })

  it('lets exactly one of many creators win', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => fault(createExclusively(path, bytes(String(i))))))
    expect(outcomes.filter((outcome) => outcome === 'none')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(19)
    await onlyFile(String(outcomes.indexOf('none')))
  })

  it('lets only the version seen be replaced or removed', async () => {
    const version = await done(createExclusively(path, bytes('one')))
    await writeFile(path, 'edited')
    expect(await fault(replaceIf(path, version, bytes('two')))).toBe('changed')
    expect(await fault(removeIf(path, version))).toBe('changed')
    await onlyFile('edited')
    const seen = await done(versionOf(path))
    const next = await done(replaceIf(path, O.isSome(seen) ? seen.value : '', bytes('three')))
    await onlyFile('three')
    await done(removeIf(path, next))
    expect(await readdir(folder)).toEqual([])
    expect(await fault(removeIf(path, next))).toBe('missing')
    expect(await fault(replaceIf(path, next, bytes('x')))).toBe('missing')
  })
})

describe('a writer killed in the middle', () => {
  it('leaves the old or the new file, and leftovers that are known and swept', async () => {
    const [size, old] = [2_000_000, 'a']
    await done(writeAtomically(path, bytes(old.repeat(size))))
    const script = `
      import { writeAtomically } from '#libs/connectors/file/atomic-file.ts'
      for (let i = 0; ; i += 1) await writeAtomically(${JSON.stringify(path)}, Buffer.alloc(${size}, 97 + (i % 26)))()`
    let leftovers: ReadonlyArray<string> = []
    for (let attempt = 0; attempt < 20 && leftovers.length === 0; attempt += 1) {
      const writer = spawn(process.execPath, ['--input-type=module', '-e', `process.stdout.write('.');${script}`], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(writer.stdout, 'data')
      const before = await stat(path)
      while ((await stat(path)).ino === before.ino) await new Promise(setImmediate)
      for (let turn = 0; turn < 10 + attempt * 37; turn += 1) await new Promise(setImmediate)
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      const text = await readFile(path, 'latin1')
      expect(text).toBe((text[0] ?? '').repeat(size))
      leftovers = (await readdir(folder)).filter((name) => name !== 'a.vcf')
    }
    expect(leftovers.every(isTemporary)).toBe(true)
    for (const name of leftovers) await utimes(join(folder, name), 1000, 1000)
    await writeFile(join(folder, '.syncline-tmp-young'), '')
    expect(await done(sweepTemporaries(folder, Date.now()))).toBe(leftovers.length)
    expect((await readdir(folder)).sort()).toEqual(['.syncline-tmp-young', 'a.vcf'])
  })
})
