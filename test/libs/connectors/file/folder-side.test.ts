import { mkdir, readdir, readFile, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { contents, create, isDone, never, ok, one, readAll, refused, write } from '../../../laws/law-rig.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { openRefused, openSide } from './open-side.ts'
import { card, formats, itemOf } from './sample-items.ts'

describe('a folder of contacts', () => {
  let path: string
  let remove: () => Promise<void>
  beforeEach(async () => { ({ path, remove } = await temporaryFolder()) })
  afterEach(() => remove())
  const put = (name: string, text: string) => writeFile(join(path, name), text)
  const side = () => openSide('contact', { path })

  it('that is not there fails and is never an empty listing', async () => {
    expect(await openRefused('contact', { path: join(path, 'nowhere') })).toMatchObject({ is: 'needs-person', message: `folder ${path}/nowhere does not exist` })
    await put('a.vcf', card('a'))
    const opened = await side()
    await rm(path, { recursive: true })
    for (const effect of [opened.read({ cursor: null, limit: 9, resuming: false, signal: never() }), opened.fetch(['a.vcf'], never()), opened.find(['a'], never())]) {
      const failure = await refused(effect)
      expect(failure.is).toBe('needs-person')
      expect(failure.mend).not.toBe('')
    }
    expect(await write(opened, [{ do: 'create', ...itemOf('vcf', card('b')) }]).catch(() => 'refused')).toBe('refused')
  })

  it('that is a file fails with a reason', async () => {
    await put('a.vcf', card('a'))
    expect(await openRefused('contact', { path: join(path, 'a.vcf') })).toMatchObject({ is: 'needs-person', message: `folder ${path}/a.vcf is not a folder` })
  })

  it('costs one page and no content when nothing happened', async () => {
    for (const n of [1, 2, 3]) await put(`${n}.vcf`, card(`${n}`))
    const { cursor } = await readAll(await side())
    const reader = await ok((await side()).read({ cursor, limit: 1, resuming: false, signal: never() }))
    expect(reader.coverage).toBe('delta')
    expect(await ok(reader.next)).toEqual({ changes: [], resume: cursor, last: true })
  })

  it('is listed whole, by name and version, when anything happened', async () => {
    for (const n of [1, 2]) await put(`${n}.vcf`, card(`${n}`))
    const before = await readAll(await side())
    await put('3.vcf', card('3'))
    const reader = await ok((await side()).read({ cursor: before.cursor, limit: 9, resuming: false, signal: never() }))
    const page = await ok(reader.next)
    expect(reader.coverage).toBe('listing')
    expect(page.changes.map((change) => change.is)).toEqual(['seen', 'seen', 'seen'])
    for (const item of before.items) expect(page.changes).toContainEqual({ is: 'seen', remoteId: item.remoteId, version: item.version })
  })

  it('is listed when something came and went, although all stands as it did', async () => {
    await put('1.vcf', card('1'))
    const { cursor } = await readAll(await side())
    const writer = await side()
    const { remoteId } = isDone(one(await create(writer, [itemOf('vcf', card('2'))])))
    await unlink(join(path, remoteId))
    expect((await ok((await side()).read({ cursor, limit: 9, resuming: false, signal: never() }))).coverage).toBe('listing')
  })

  it('overlooks dotfiles, unfinished files, folders and other files', async () => {
    await put('a.vcf', card('a'))
    for (const name of ['.hidden.vcf', '.syncline-tmp-1.vcf', 'a.vcf~', 'notes.txt', 'b.vcf.swp']) await put(name, card('x'))
    await mkdir(join(path, 'folder.vcf'))
    expect((await readAll(await side())).items.map(({ remoteId }) => remoteId)).toEqual(['a.vcf'])
  })

  it('shows a renamed file as another remote id of the same item, with the same version', async () => {
    await put('a.vcf', card('a'))
    const before = one((await readAll(await side())).items)
    await rename(join(path, 'a.vcf'), join(path, 'b.vcf'))
    expect(one((await readAll(await side())).items)).toEqual({ ...before, remoteId: 'b.vcf' })
  })

  it('shows both of two files with one UID', async () => {
    await put('a.vcf', card('same'))
    await put('b.vcf', card('same', 1))
    expect((await readAll(await side())).items.map(({ key }) => key)).toEqual(['same', 'same'])
    expect((await ok((await side()).find(['same'], never()))).length).toBe(2)
  })

  it('says which file and line cannot be read', async () => {
    await put('good.vcf', card('good'))
    await put('broken.vcf', 'BEGIN:VCARD\r\nVERSION:3.0\r\nthis is no property\r\nEND:VCARD\r\n')
    await put('bytes.vcf', Buffer.from([0xff, 0xfe, 0x00]).toString('latin1'))
    await symlink('/etc/hostname', join(path, 'link.vcf'))
    const { items, bad } = await readAll(await side())
    expect(items.length).toBe(1)
    const reports = new Map(bad.map(({ remoteId, failure }) => [remoteId, failure.message]))
    expect(reports.get('broken.vcf')).toMatch(/^broken\.vcf: line 3: /)
    expect(reports.get('bytes.vcf')).toMatch(/^bytes\.vcf: /)
    expect(reports.get('link.vcf')).toBe('link.vcf: is a link, not a file')
  })

  it('never leads out of itself', async () => {
    await writeFile(`${path}-secret.vcf`, card('secret'))
    try {
      const opened = await side()
      const name = `../${path.split('/').at(-1)}-secret.vcf`
      expect(one(await ok(opened.fetch([name], never()))).is).toBe('bad')
      const writes = [
        { do: 'update', key: 'secret', remoteId: name, expect: null, fields: itemOf('vcf', card('secret', 3)).fields },
        { do: 'delete', key: 'secret', remoteId: name, expect: null },
        { do: 'delete', key: 'secret', remoteId: name, expect: '1-1-1' },
      ] as const
      for (const wrote of await write(opened, writes)) expect(['stale', 'refused']).toContain(wrote.is)
      expect(await readFile(`${path}-secret.vcf`, 'utf8')).toBe(card('secret'))
    } finally {
      await unlink(`${path}-secret.vcf`)
    }
  })

  it('identifies a card without UID by its content, and copies it without one', async () => {
    const bare = card('x').replace('UID:x\r\n', '')
    await put('bare.vcf', bare)
    const item = one((await readAll(await side())).items)
    const other = await temporaryFolder()
    try {
      const there = await openSide('contact', { path: other.path })
      one(await create(there, [{ key: item.key, fields: item.fields }]))
      const copy = one((await readAll(there)).items)
      expect({ key: copy.key, fields: copy.fields }).toEqual({ key: item.key, fields: item.fields })
      expect(await readFile(join(other.path, copy.remoteId), 'utf8')).not.toContain('UID')
    } finally {
      await other.remove()
    }
  })

  it('names a new file after its UID, or after a digest where that is odd or taken', async () => {
    await put('taken.vcf', card('somebody else'))
    const wrote = await create(await side(), ['plain-1@x', 'a/b', 'taken'].map((uid) => itemOf('vcf', card(uid))))
    expect(wrote.map(({ remoteId }) => remoteId)).toEqual(['plain-1@x.vcf', expect.stringMatching(/^[0-9a-f]{40}\.vcf$/), expect.stringMatching(/^[0-9a-f]{40}\.vcf$/)])
    expect(await readFile(join(path, 'taken.vcf'), 'utf8')).toBe(card('somebody else'))
  })

  it('keeps the version of a card it rewrites', async () => {
    await put('a.vcf', card('a').replace('VERSION:3.0', 'VERSION:4.0'))
    const opened = await side()
    const there = one((await readAll(opened)).items)
    isDone(one(await write(opened, [{ do: 'update', key: 'a', remoteId: 'a.vcf', expect: there.version, fields: itemOf('vcf', card('a', 2)).fields }])))
    expect(await readFile(join(path, 'a.vcf'), 'utf8')).toContain('VERSION:4.0')
  })

  it('lets no half-written file be seen, and leaves none behind', async () => {
    await create(await side(), [1, 2, 3].map((n) => itemOf('vcf', card(`${n}`))))
    expect((await readdir(path)).sort()).toEqual(['1.vcf', '2.vcf', '3.vcf'])
  })

  it('leaves the files alone when everything is refused, stale or there already', async () => {
    await put('a.vcf', card('a'))
    const before = await stat(join(path, 'a.vcf'), { bigint: true })
    const opened = await side()
    const wrote = await write(opened, [
      { do: 'create', ...itemOf('vcf', card('a', 1)) },
      { do: 'update', key: 'a', remoteId: 'a.vcf', expect: 'another', fields: itemOf('vcf', card('a', 2)).fields },
      { do: 'delete', key: 'a', remoteId: 'a.vcf', expect: 'another' },
      { do: 'create', key: 'p', fields: formats.vcf.poison },
    ])
    expect(wrote.map(({ is }) => is)).toEqual(['exists', 'stale', 'stale', 'refused'])
    expect((await stat(join(path, 'a.vcf'), { bigint: true })).mtimeNs).toBe(before.mtimeNs)
    expect(await readdir(path)).toEqual(['a.vcf'])
  })

  it('finds an item in a file somebody added under any name since', async () => {
    const opened = await side()
    expect(await ok(opened.find(['late'], never()))).toEqual([])
    await put('whatever.vcf', card('late'))
    expect(one(await ok(opened.find(['late'], never())))).toMatchObject({ remoteId: 'whatever.vcf', key: 'late' })
    expect(one(await write(opened, [{ do: 'create', ...itemOf('vcf', card('late', 1)) }]))).toEqual({ is: 'exists', remoteId: 'whatever.vcf' })
  })

  it('is one place by whatever path it is reached', async () => {
    await symlink(path, `${path}-link`)
    try {
      expect((await openSide('contact', { path: `${path}-link` })).identity).toBe(`file:${path}`)
      expect((await openSide('contact', { path: `${path}/../${path.split('/').at(-1)}` })).identity).toBe(`file:${path}`)
    } finally {
      await unlink(`${path}-link`)
    }
  })

  it('outside the root it must lie in is refused', async () => {
    await mkdir(join(path, 'in'))
    expect(await openRefused('contact', { path: '..', root: path })).toMatchObject({ is: 'needs-person' })
    await symlink('/tmp', join(path, 'out'))
    expect(await openRefused('contact', { path: 'out', root: path })).toMatchObject({ is: 'needs-person' })
    expect((await openSide('contact', { path: 'in', root: path })).identity).toBe(`file:${path}/in`)
  })

  it('set to read only answers so', async () => {
    const opened = await openSide('contact', { path, readOnly: true })
    expect(opened.capabilities.canWrite).toBe(false)
    expect((await refused(opened.write([{ do: 'create', ...itemOf('vcf', card('a')) }], never()))).is).toBe('needs-person')
  })

  it('tells the time of the last edit from the file', async () => {
    await put('a.vcf', card('a'))
    expect(one((await readAll(await side())).items).modifiedAt).toBe(new Date(Math.floor((await stat(join(path, 'a.vcf'))).mtimeMs)).toISOString())
  })

  it('of a thousand cards is listed, fetched and found', async () => {
    await Promise.all(Array.from({ length: 1000 }, (_, n) => put(`${n}.vcf`, card(`uid-${n}`))))
    const opened = await side()
    const reading = await readAll(opened, { limit: 100 })
    expect(reading.items.length).toBe(1000)
    expect(contents(await ok(opened.find(['uid-7', 'uid-999'], never())))).toEqual(contents([itemOf('vcf', card('uid-7')), itemOf('vcf', card('uid-999'))]))
  })
})
