import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { create, isDone, one, readAll, write } from '../../../laws/law-rig.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { openSide } from './open-side.ts'

describe('a records file', () => {
  let path: string
  let remove: () => Promise<void>
  beforeEach(async () => { ({ path, remove } = await temporaryFolder()) })
  afterEach(() => remove())
  const jsonl = () => join(path, 'records.jsonl')
  const csv = () => join(path, 'records.csv')
  const side = (file: string) => openSide('row', { path: file })

  describe('as a destination', () => {
    it('keeps what it does not touch byte for byte', async () => {
      const before = Buffer.concat([Buffer.from('{"id" : 1}\r\nnot a record\n'), Buffer.from([0xff, 10]), Buffer.from('{"id":2,"a":1}')])
      await writeFile(jsonl(), before)
      const opened = await side(jsonl())
      await create(opened, [{ key: '3', fields: { id: '3' } }])
      expect(await readFile(jsonl())).toEqual(Buffer.concat([before, Buffer.from('\n{"id":"3"}\n')]))
    })

    it('keeps numbers numbers and JSON JSON where the text allows', async () => {
      await writeFile(jsonl(), '{"id":1,"n":1,"t":"1","b":true,"j":{"a":1},"was":1}\n')
      const opened = await side(jsonl())
      const there = one((await readAll(opened)).items)
      isDone(one(await write(opened, [{ do: 'update', key: '1', remoteId: '1', expect: there.version, fields: { id: '1', n: '2', t: '2', b: 'false', j: '{"a":2}', was: 'text' } }])))
      expect(await readFile(jsonl(), 'utf8')).toBe('{"b":false,"id":1,"j":{"a":2},"n":2,"t":"2","was":"text"}\n')
    })

    it('leaves fields the flow does not map as they are', async () => {
      await writeFile(csv(), 'id,a,b\n1,x,y\n')
      const opened = await openSide('row', { path: csv() }, { fields: ['id', 'a'] })
      isDone(one(await write(opened, [{ do: 'update', key: '1', remoteId: '1', expect: null, fields: { id: '1', a: 'z' } }])))
      expect(await readFile(csv(), 'utf8')).toBe('id,a,b\n1,z,y\n')
    })

    it('takes every line of a deleted key out', async () => {
      await writeFile(jsonl(), '{"id":1,"v":"old"}\n{"id":2}\n{"id":1,"v":"new"}\n')
      const opened = await side(jsonl())
      isDone(one(await write(opened, [{ do: 'delete', key: '1', remoteId: '1', expect: null }])))
      expect(await readFile(jsonl(), 'utf8')).toBe('{"id":2}\n')
    })

    it('gives an empty CSV file the columns of its first record', async () => {
      await writeFile(csv(), '')
      const opened = await side(csv())
      await create(opened, [{ key: '1', fields: { z: 'a,b', id: '1' } }, { key: '2', fields: { id: '2', z: '' } }])
      expect(await readFile(csv(), 'utf8')).toBe('id,z\n1,"a,b"\n2,\n')
      expect(one(await write(opened, [{ do: 'create', key: '3', fields: { id: '3', unknown: 'x' } }]))).toMatchObject({ is: 'refused' })
    })

    it('is not touched when nothing is to be done', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      const before = (await stat(jsonl(), { bigint: true })).mtimeNs
      const wrote = await write(await side(jsonl()), [{ do: 'create', key: '1', fields: { id: '1' } }, { do: 'delete', key: '2', remoteId: '2', expect: null }])
      expect(wrote.map(({ is }) => is)).toEqual(['exists', 'stale'])
      expect((await stat(jsonl(), { bigint: true })).mtimeNs).toBe(before)
    })

    it('sees within a batch what the batch did before', async () => {
      await writeFile(jsonl(), '')
      const opened = await side(jsonl())
      const item = { key: '1', fields: { id: '1', v: 'a' } }
      const wrote = await write(opened, [
        { do: 'create', ...item }, { do: 'create', ...item }, { do: 'update', key: '1', remoteId: '1', expect: null, fields: { id: '1', v: 'b' } },
        { do: 'delete', key: '1', remoteId: '1', expect: null }, { do: 'delete', key: '1', remoteId: '1', expect: null }, { do: 'create', ...item },
      ])
      expect(wrote.map(({ is }) => is)).toEqual(['done', 'exists', 'done', 'done', 'stale', 'done'])
      expect(await readFile(jsonl(), 'utf8')).toBe('{"id":"1","v":"a"}\n')
    })
  })
})
