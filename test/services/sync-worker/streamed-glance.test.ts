import { describe, expect, it } from 'vitest'
import type { Change, ChangePage } from '#libs/connectors/connector.ts'
import { unavailable } from '#libs/domain/failure.ts'
import { hashOf, type Item } from '#libs/domain/record.ts'
import { E, TE } from '#libs/fp.ts'
import type { Stream } from '../../../services/sync-worker/stream.ts'
import { glanceAt, isStill, type Glance } from '../../../services/sync-worker/streamed-glance.ts'

const item = (key: string): Change => ({ is: 'item', item: { remoteId: key, key, version: '1', fields: { name: key } } })
const page = (...changes: ReadonlyArray<Change>): ChangePage => ({ changes, resume: null, last: false })

/** A stream of which only what a glance asks for is there. */
const streamOf = (phase: Stream['phase'], found: ReadonlyArray<Item> = [], until: Promise<unknown> = Promise.resolve()) => {
  const asked: Array<ReadonlyArray<string>> = []
  const told = (keys: ReadonlyArray<string>) => async () => {
    asked.push(keys)
    await until
    return E.right(new Map())
  }
  const stream = { phase, ledger: { links: told }, context: { signal: new AbortController().signal, b: { find: (keys: ReadonlyArray<string>) => TE.map(() => found)(told(keys)) } } } as unknown as Stream
  return { stream, asked }
}

describe('the page after the one that is settled', () => {
  it('has its links and its rows looked up', async () => {
    const { stream, asked } = streamOf('delta')
    expect(await glanceAt(stream, page(item('1'), item('2')))).toMatchObject({ linkKeys: ['1', '2'] })
    expect(asked).toEqual([['1', '2'], ['1', '2']])
  })

  it('has the contents of both sides hashed, each item by itself', async () => {
    const there = { remoteId: '1', key: '1', version: '7', fields: { name: 'there' } }
    const { stream } = streamOf('delta', [there])
    const ahead = page(item('1'), item('2'))
    const hashes = (await glanceAt(stream, ahead))?.hashes
    const items = [...ahead.changes.flatMap((change) => (change.is === 'item' ? [change.item] : [])), there]
    expect(items.map((one) => hashes?.get(one))).toEqual(items.map(({ fields }) => hashOf(fields)))
  })

  it('is looked up over one connection at a time', async () => {
    const looking = Promise.withResolvers<undefined>()
    const { stream, asked } = streamOf('delta', [], looking.promise)
    const glancing = glanceAt(stream, page(item('1')))
    expect(asked).toHaveLength(1)
    looking.resolve(undefined)
    await glancing
    expect(asked).toHaveLength(2)
  })

  it.each<readonly [string, Stream['phase'], ChangePage]>([
    ['of a first sync', 'first', page(item('1'))],
    ['that is empty', 'delta', page()],
    ['that tells of a deletion', 'delta', page(item('1'), { is: 'gone', remoteId: '2' })],
    ['whose contents must be asked for', 'delta', page({ is: 'seen', remoteId: '1', version: '2' })],
  ])('%s is not looked up ahead', async (_what, phase, asIs) => {
    const { stream, asked } = streamOf(phase)
    expect(await glanceAt(stream, asIs)).toBeUndefined()
    expect(asked).toEqual([])
  })
})

describe('what was looked up ahead', () => {
  const glance: Glance = { linkKeys: ['1', '2'], links: E.right(new Map()), found: E.right([]), hashes: new Map() }
  it.each<readonly [string, Glance, ReadonlyArray<string>, boolean]>([
    ['still holds when the page before wrote other keys', glance, ['3'], true],
    ['is worth nothing when it wrote one of these', glance, ['3', '2'], false],
    ['is asked for again when the links could not be read', { ...glance, links: E.left(unavailable('away')) }, [], false],
    ['is asked for again when the rows could not be read', { ...glance, found: E.left(unavailable('away')) }, [], false],
  ])('%s', (_what, seen, touched, holds) => {
    expect(isStill(seen, new Set(touched))).toBe(holds)
  })
})
