import { appendFile, readFile, rename, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isDone, never, ok, one, readAll, refused, tryReadAll, write } from '../../../laws/law-rig.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { openRefused, openSide } from './open-side.ts'

describe('a records file', () => {
  let path: string
  let remove: () => Promise<void>
  beforeEach(async () => { ({ path, remove } = await temporaryFolder()) })
  afterEach(() => remove())
  const jsonl = () => join(path, 'records.jsonl')
  const csv = () => join(path, 'records.csv')
  const side = (file: string, options = {}) => openSide('row', { path: file, ...options })
  const rows = async (file: string, cursor: string | null = null) => readAll(await side(file), { cursor })
  const ids = async (file: string, cursor: string | null = null) => (await rows(file, cursor)).items.map(({ key }) => key)

  it('that is not there fails and is never an empty listing', async () => {
    expect(await openRefused('row', { path: jsonl() })).toMatchObject({ is: 'needs-person', message: `file ${jsonl()} does not exist` })
    await writeFile(jsonl(), '{"id":1}\n')
    const opened = await side(jsonl())
    await remove()
    expect((await refused(opened.read({ cursor: null, limit: 9, resuming: false, signal: never() }))).is).toBe('needs-person')
    expect((await refused(opened.find(['1'], never()))).is).toBe('needs-person')
  })

  it('shows every value as text or null, numbers as they are written', async () => {
    await writeFile(jsonl(), '{"id": 9007199254740993, "a": 12.50, "b": 1e3, "c":-0.0, "d":true, "e":null, "f":{"z":[1, 2],"a":"é"}, "g":7, "h.i":1.0}\n')
    expect(one((await rows(jsonl())).items)).toMatchObject({
      key: '9007199254740993',
      fields: { id: '9007199254740993', a: '12.50', b: '1e3', c: '-0.0', d: 'true', e: null, f: '{"a":"é","z":[1,2]}', g: '7', 'h.i': '1.0' },
    })
  })

  it('shows other kinds of record with their JSON as it is', async () => {
    await writeFile(jsonl(), '{"id":"a","type":"run","km":12.5,"tags":["x"]}\n')
    expect(one((await readAll(await openSide('activity', { path: jsonl() }))).items).fields).toEqual({ id: 'a', type: 'run', km: 12.5, tags: ['x'] })
  })

  it('is identified by several fields together', async () => {
    await writeFile(csv(), 'meter,at,kwh\nm1,2026-01-01,5\nm1,2026-01-02,6\n')
    const opened = await side(csv(), { key: ['meter', 'at'] })
    expect((await readAll(opened)).items.map(({ key }) => key)).toEqual(['["m1","2026-01-01"]', '["m1","2026-01-02"]'])
    isDone(one(await write(opened, [{ do: 'create', key: '["m2","2026-01-01"]', fields: { kwh: '7' } }])))
    expect(await readFile(csv(), 'utf8')).toBe('meter,at,kwh\nm1,2026-01-01,5\nm1,2026-01-02,6\nm2,2026-01-01,7\n')
  })

  it('says which line is no record, and reads the others', async () => {
    await writeFile(jsonl(), Buffer.concat([Buffer.from('{"id":1}\n{"id":\n{"name":"no id"}\n[1]\n'), Buffer.from([0x22, 0xff, 0x22, 10]), Buffer.from('\n{"id":2}\n')]))
    const { items, bad } = await rows(jsonl())
    expect(items.map(({ key }) => key)).toEqual(['1', '2'])
    expect(bad.map(({ failure }) => failure.message)).toEqual([
      'records.jsonl, line 2 (byte 9): not JSON',
      'records.jsonl, line 3 (byte 16): no "id" to identify it by',
      'records.jsonl, line 4 (byte 33): not an object',
      'records.jsonl, line 5 (byte 37): not UTF-8 text',
    ])
  })

  it('of CSV reads quoted values over several lines, and a stray quote costs one line only', async () => {
    await writeFile(csv(), 'id,text\n1,"two\nlines, ""quoted"""\n2,5" pipe\n3,"open, "x\n4,\r\n5,a,b\n6,"last"\n')
    const { items, bad } = await rows(csv())
    expect(items.map(({ key, fields }) => [key, fields['text']])).toEqual([['1', 'two\nlines, "quoted"'], ['4', null], ['6', 'last']])
    expect(bad.map(({ remoteId }) => remoteId)).toEqual(['line 4', 'line 5', 'line 7'])
  })

  it('of CSV whose header cannot be used fails with the reason', async () => {
    for (const [header, reason] of [['id,id', /name of an earlier column/], ['id,', /has no name/], ['id,__proto__', /__proto__/], ['name,at', /no column "id"/]] as const) {
      await writeFile(csv(), `${header}\n1,2\n`)
      const failure = await refused((await side(csv())).read({ cursor: null, limit: 9, resuming: false, signal: never() }))
      expect(failure.is).toBe('needs-person')
      expect(failure.message).toMatch(reason)
    }
  })

  describe('that grows', () => {
    it('gives what came after, from the byte where it was left', async () => {
      await writeFile(csv(), 'id,v\n1,a\n2,b\n')
      const first = await rows(csv())
      await appendFile(csv(), '3,c\n1,d\n')
      const second = await rows(csv(), first.cursor)
      expect(second.coverage).toBe('delta')
      expect(second.items.map(({ key, fields }) => [key, fields['v']])).toEqual([['3', 'c'], ['1', 'd']])
      expect(await rows(csv(), second.cursor)).toMatchObject({ coverage: 'delta', changes: 0, cursor: second.cursor })
    })

    it('waits for the line feed of a line somebody is writing', async () => {
      await writeFile(csv(), 'id,v\n1,a\n')
      const first = await rows(csv())
      await appendFile(csv(), '2,1')
      const second = await rows(csv(), first.cursor)
      expect(second.items).toEqual([])
      await appendFile(csv(), '23\n3,c')
      const third = await rows(csv(), second.cursor)
      expect(third.items.map(({ fields }) => fields)).toEqual([{ id: '2', v: '123' }])
    })

    it('takes a last line without line feed once the file stood still, if it is whole', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      const first = await rows(jsonl())
      await appendFile(jsonl(), '{"id":2}')
      const second = await rows(jsonl(), first.cursor)
      const third = await rows(jsonl(), second.cursor)
      expect([second.items.length, third.items.length]).toEqual([0, 1])
      await appendFile(jsonl(), '\n{"id":3')
      const fourth = await rows(jsonl(), third.cursor)
      const fifth = await rows(jsonl(), fourth.cursor)
      expect([fourth.items.length, fifth.items.length]).toEqual([0, 0])
      expect(fifth.cursor).toBe(fourth.cursor)
      await appendFile(jsonl(), '}\n')
      expect(await ids(jsonl(), fifth.cursor)).toEqual(['3'])
    })

    it('never leaves a whole last line out of a listing, and notices when it was not whole after all', async () => {
      await writeFile(csv(), 'id,v\n1,a\n2,1')
      const first = await rows(csv())
      expect(first.items.map(({ fields }) => fields['v'])).toEqual(['a', '1'])
      await appendFile(csv(), '23\n')
      expect(await tryReadAll(await side(csv()), { cursor: first.cursor })).toMatchObject({ is: 'cursor-lost' })
      await writeFile(csv(), 'id,v\n1,a\n2,1')
      const again = await rows(csv())
      await appendFile(csv(), '\r\n3,c\n')
      expect(await ids(csv(), again.cursor)).toEqual(['3'])
    })

    it('counts lines on across runs', async () => {
      await writeFile(jsonl(), '{"id":1}\n\n{"id":2}')
      const { cursor } = await rows(jsonl())
      await appendFile(jsonl(), '\nbroken\n')
      expect(one((await rows(jsonl(), cursor)).bad).remoteId).toBe('line 4')
    })

    it('while it is read is read up to the size it had', async () => {
      await writeFile(jsonl(), '{"id":1}\n{"id":2}\n')
      const reader = await ok((await side(jsonl())).read({ cursor: null, limit: 1, resuming: false, signal: never() }))
      await ok(reader.next)
      await appendFile(jsonl(), '{"id":3}\n')
      const page = await ok(reader.next)
      await reader.close()
      expect(page.last).toBe(true)
      expect(await ids(jsonl(), page.resume)).toEqual(['3'])
    })
  })

  it('keeps its cursor through our own writes, as long as nobody else touched the file', async () => {
    await writeFile(jsonl(), '{"id":1}\n')
    const { cursor } = await rows(jsonl())
    const writer = await side(jsonl())
    for (const key of ['2', '3']) isDone(one(await write(writer, [{ do: 'create', key, fields: {} }])))
    const after = await rows(jsonl(), cursor)
    expect(after).toMatchObject({ coverage: 'delta', items: [{ key: '2' }, { key: '3' }] })
    isDone(one(await write(writer, [{ do: 'create', key: '4', fields: {} }])))
    expect(await rows(jsonl(), after.cursor)).toMatchObject({ coverage: 'delta', items: [{ key: '4' }] })
    expect(await rows(jsonl(), cursor)).toMatchObject({ coverage: 'delta', items: [{ key: '2' }, { key: '3' }, { key: '4' }] })
  })

  describe('loses its cursor', () => {
    const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `{"id":${from + n},"v":"${'x'.repeat(80)}"}\n`).join('')
    const cases: ReadonlyArray<readonly [string, (whole: string) => Promise<void>]> = [
      ['when it became shorter', () => truncate(jsonl(), 100)],
      ['when it was emptied', () => writeFile(jsonl(), '')],
      ['when its beginning changed while it grew', (whole) => writeFile(jsonl(), `${whole.replace('"id":0', '"id":9')}${lines(500, 501)}`)],
      ['when its last records changed while it grew', (whole) => writeFile(jsonl(), `${whole.replace('"id":499', '"id":777')}${lines(500, 501)}`)],
      ['when a record in the middle was taken out while it grew', (whole) => writeFile(jsonl(), `${whole.replace(/^.*"id":250.*\n/m, '')}${lines(500, 510)}`)],
      ['when it was changed in place, keeping its length', async (whole) => {
        await writeFile(jsonl(), whole.replace('"id":250', '"id":999'))
        await utimes(jsonl(), new Date(), new Date(Date.now() + 1000))
      }],
    ]
    it.each(cases)('%s', async (_, change) => {
      const whole = lines(0, 500)
      await writeFile(jsonl(), whole)
      const { cursor } = await rows(jsonl())
      await change(whole)
      expect(await tryReadAll(await side(jsonl()), { cursor })).toMatchObject({ is: 'cursor-lost' })
    })

    it('when another file took its place, although it begins the same', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      const { cursor } = await rows(jsonl())
      await writeFile(`${jsonl()}.new`, '{"id":1}\n{"id":2}\n')
      await rename(`${jsonl()}.new`, jsonl())
      expect(await tryReadAll(await side(jsonl()), { cursor })).toMatchObject({ is: 'cursor-lost' })
    })

    it('by our own write: what it added and somebody took out again would not be missed', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      const { cursor } = await rows(jsonl())
      const writer = await side(jsonl())
      for (const key of ['2', '3']) isDone(one(await write(writer, [{ do: 'create', key, fields: {} }])))
      await writeFile(jsonl(), '{"id":1}\n{"id":"3"}\n')
      expect(await tryReadAll(await side(jsonl()), { cursor })).toMatchObject({ is: 'cursor-lost' })
    })

    it('by the write of another flow, which may have taken out what we added', async () => {
      await writeFile(jsonl(), '{"id":1}\n')
      const { cursor } = await rows(jsonl())
      isDone(one(await write(await side(jsonl()), [{ do: 'create', key: '2', fields: {} }])))
      const other = await openSide('row', { path: jsonl() }, { flow: 'other' })
      const [added] = (await ok(other.find(['2'], never()))).map(({ version }) => version)
      isDone(one(await write(other, [{ do: 'delete', remoteId: '2', key: '2', expect: added ?? null }])))
      isDone(one(await write(other, [{ do: 'create', key: '3', fields: {} }])))
      expect(await tryReadAll(await side(jsonl()), { cursor })).toMatchObject({ is: 'cursor-lost' })
    })

    it('when the header of a CSV file changed', async () => {
      await writeFile(csv(), 'id,a,b\n1,2,3\n')
      const { cursor } = await rows(csv())
      await writeFile(csv(), 'id,b,a\n1,2,3\n4,5,6\n')
      expect(await tryReadAll(await side(csv()), { cursor })).toMatchObject({ is: 'cursor-lost' })
    })
  })
})
