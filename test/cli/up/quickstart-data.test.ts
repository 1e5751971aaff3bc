import { readFileSync, readdirSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '#libs/config/read-config.ts'
import { hashOf } from '#libs/domain/record.ts'
import { parseIcalendar } from '#libs/formats/icalendar.ts'
import { parseVcard } from '#libs/formats/vcard.ts'
import { E } from '#libs/fp.ts'
import { unpackQuickstart, type Unpacked } from '../../../cli/up/quickstart-data.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const shipped = new URL('../../../examples/quickstart/', import.meta.url).pathname
const unpacked = async (folder?: string): Promise<Unpacked> => {
  const { path, remove } = await temporaryFolder()
  onTestFinished(remove)
  const done = await unpackQuickstart(folder ?? join(path, 'quickstart'))()
  if (E.isLeft(done)) throw new Error(done.left.message)
  return done.right
}
const items = (folder: string): ReadonlyMap<string, string> => new Map(readdirSync(join(shipped, 'data', folder)).map((name) => {
  const text = readFileSync(join(shipped, 'data', folder, name), 'utf8')
  const parsed = name.endsWith('.vcf') ? parseVcard(text) : parseIcalendar(text)
  if (E.isLeft(parsed)) throw new Error(`${name}: ${parsed.left}`)
  return [parsed.right.uid ?? '', hashOf(parsed.right.fields)] as const
}))
const compared = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>) => {
  const shared = [...a.keys()].filter((uid) => b.has(uid))
  return { a: a.size, b: b.size, equal: shared.filter((uid) => a.get(uid) === b.get(uid)), differing: shared.filter((uid) => a.get(uid) !== b.get(uid)) }
}

describe('the data shipped', () => {
  it('has cards on both sides, two of them equal however they are written, one in conflict', () => {
    expect(compared(items('contacts-a'), items('contacts-b'))).toEqual({ a: 8, b: 5, equal: ['chiara-rossi', 'grace-mwangi'], differing: ['amara-okafor'] })
  })

  it('has one event that was edited in the copy, and one that is in the copy alone', () => {
    expect(compared(items('calendar-team'), items('calendar-me'))).toEqual({ a: 5, b: 2, equal: [], differing: ['planning-q2'] })
  })

  it('has a configuration without a mistake, whose paths are meant from where it lies', () => {
    const read = readConfig(readFileSync(join(shipped, 'syncline.yaml'), 'utf8'), 'syncline.yaml', undefined, '/q')
    expect(E.isRight(read) && read.right.map(({ id, flows }) => [id, flows[0]?.source['path']])).toEqual(
      [['contacts', '/q/contacts-a'], ['meters', '/q/meters/readings.jsonl'], ['calendar', '/q/calendar-team']])
  })
})

describe('unpacking', () => {
  it('brings everything at the first start', async () => {
    const { folder, isFirst, config, readings } = await unpacked()
    expect(isFirst).toBe(true)
    expect(await readdir(folder)).toEqual(['calendar-me', 'calendar-team', 'contacts-a', 'contacts-b', 'meters', 'syncline.yaml'])
    expect([config, readings].map((path) => dirname(path))).toEqual([folder, join(folder, 'meters')])
  })

  it('touches nothing after that: an edit stays, what was deleted stays away', async () => {
    const { folder, config } = await unpacked()
    await writeFile(config, '# mine')
    await rm(join(folder, 'contacts-a', 'hugo-martin.vcf'))
    expect((await unpacked(folder)).isFirst).toBe(false)
    expect(readFileSync(config, 'utf8')).toBe('# mine')
    expect(await readdir(join(folder, 'contacts-a'))).not.toContain('hugo-martin.vcf')
  })
})
