import { stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { never, ok, readAll, refused, tryReadAll } from '../../../laws/law-rig.ts'
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
  const rows = async (file: string) => readAll(await side(file))

  describe('of a size nobody wants', () => {
    it('parks a line longer than 1 MiB and goes on behind it', async () => {
      await writeFile(jsonl(), `{"id":1}\n{"id":2,"v":"${'x'.repeat(1_100_000)}"}\n{"id":3}\n{"id":4,"v":"${'x'.repeat(3_000_000)}"}\n{"id":5}\n`)
      const { items, bad } = await rows(jsonl())
      expect(items.map(({ key }) => key)).toEqual(['1', '3', '5'])
      expect(bad.map(({ remoteId, failure }) => [remoteId, failure.message.includes('longer than 1 MiB')])).toEqual([['line 2', true], ['line 4', true]])
    })

    it('is given up on when a line has no end', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      await truncate(jsonl(), 200 * 1024 * 1024)
      expect(await tryReadAll(await side(jsonl()))).toMatchObject({ is: 'needs-person' })
    })

    it('parks nesting without end and unclosed quotes', async () => {
      await writeFile(jsonl(), `{"id":1,"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n{"id":2}\n`)
      expect((await rows(jsonl())).bad.length).toBe(1)
      await writeFile(csv(), `id,v\n1,"${'x\n'.repeat(10)}2,b\n`)
      const { items, bad } = await rows(csv())
      expect(items.map(({ key }) => key)).toEqual(['2'])
      expect(bad.length).toBe(10)
    })

    it('is not rewritten as a destination', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      await truncate(jsonl(), 65 * 1024 * 1024)
      expect(await refused((await side(jsonl())).write([{ do: 'create', key: '2', fields: { id: '2' } }], never()))).toMatchObject({ is: 'needs-person' })
    })

    it('is still searched, without being held', async () => {
      const line = (n: number) => `{"id":${n},"v":"${'x'.repeat(1000)}"}\n`
      await writeFile(jsonl(), Array.from({ length: 66_000 }, (_, n) => line(n)).join('') + line(5).replace('xx', 'yy'))
      expect((await stat(jsonl())).size).toBeGreaterThan(64 * 1024 * 1024)
      const found = await ok((await side(jsonl())).find(['5', '65999', 'nobody'], never()))
      expect(found.map(({ key, fields }) => [key, JSON.stringify(fields['v']).slice(1, 3)])).toEqual([['5', 'yy'], ['65999', 'xx']])
    })
  })
})
