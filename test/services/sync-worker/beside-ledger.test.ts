/** The ledger of a two-way flow beside the rows: what it reads, counts, lets go of and stores. */
import { describe, expect, it } from 'vitest'
import type { TransactionalLedger, Wrote } from '#libs/connectors/connector.ts'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { openBesideLedger } from '../../../services/sync-worker/beside-ledger.ts'
import type { FlowLedger } from '../../../services/sync-worker/flow-ledger.ts'
import type { Hold } from '../../../services/sync-worker/hold-lease.ts'

const never = (): AbortSignal => new AbortController().signal
const right = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}
const link = (key: string, more: Partial<Link> = {}): readonly [string, Link] => [key, { key, st: 'linked', idA: `a/${key}`, idB: key, hA: 'h', hB: 'h', ...more }]
const checkpoint: Checkpoint = { fence: 0, run: 'r', phase: 'delta', gen: 0, cursorA: 'a', cursorB: 'b', cfgHash: '', pages: 0, links: 0, parked: 0 }

const opened = async (links: ReadonlyArray<readonly [string, Link]> = [], more: { readonly believed?: boolean; readonly fence?: number; readonly trusted?: () => boolean } = {}) => {
  const store = memoryStore('b')
  const { ledger } = memorySide(store, { transactional: true })
  if (ledger === undefined) throw new Error('expected a ledger')
  right(await ledger.claim(1, never())())
  const stored = { ...checkpoint, fence: 1, links: links.length, parked: links.filter(([, { st }]) => st === 'parked').length }
  if (links.length > 0) right(await ledger.commit({ fence: 1, writes: [], settle: () => ({ puts: links, drops: [], checkpoint: stored }) }, never())())
  const fence = more.fence ?? 2
  right(await ledger.claim(fence, never())())
  const asked: Array<string> = []
  const noted: Array<Checkpoint> = []
  const watched: TransactionalLedger = {
    ...ledger,
    links: (keys, signal) => {
      asked.push(...keys)
      return ledger.links(keys, signal)
    },
  }
  const hold = { fence, isTrusted: more.trusted ?? (() => true) } as Hold
  const mine = openBesideLedger({ hold, signal: never(), whyStopped: () => ({ is: 'fenced', message: 'not trusted' }) }, watched, {
    checkpoint: links.length === 0 ? null : stored,
    believed: more.believed ?? true,
    noted: async (one) => E.right(void noted.push(one)),
  })
  return { store, ledger, mine, asked, noted }
}
const keysOf = ({ links }: FlowLedger): ReadonlyArray<string> => [...links.keys()].sort()

describe('reading', () => {
  it('asks for each link once, whether it is there or not, and knows how many there are', async () => {
    const { mine, asked } = await opened([link('k1'), link('k2'), link('k3')])
    right(await mine.load(['k1', 'none']))
    right(await mine.load(['k1', 'none', 'k2', 'k2']))
    expect(asked).toEqual(['k1', 'none', 'k2'])
    expect([keysOf(mine), mine.linkCount()]).toEqual([['k1', 'k2'], 3])
    expect(right(await mine.sizes())).toEqual({ source: 3, destination: 3 })
  })

  it('finds links by the ids of the source', async () => {
    const { mine } = await opened([link('k1'), link('k2')])
    right(await mine.loadBySource?.(['a/k2', 'a/none']) ?? E.right(undefined))
    expect(keysOf(mine)).toEqual(['k2'])
  })

  it('lets go of what it read, and reads it again', async () => {
    const { mine, asked } = await opened([link('k1'), link('k2')])
    const { links } = mine
    right(await mine.load('all'))
    mine.letGo()
    expect([links.size, mine.linkCount()]).toEqual([0, 2])
    right(await mine.load(['k2']))
    expect([[...links.keys()], asked]).toEqual([['k2'], ['k2']])
  })

  it('of all of them sees that some are lost, and counts the others', async () => {
    const { store, mine } = await opened([link('k1'), link('k2', { st: 'parked' }), link('k3')])
    const [name, stored] = [...store.ledgers][0] ?? []
    if (name === undefined || stored === undefined) throw new Error('expected a ledger')
    store.ledgers.set(name, { ...stored, links: new Map([link('k1')]) })
    expect(mine.isWhole()).toBe(true)
    right(await mine.load('all'))
    expect([mine.isWhole(), mine.linkCount(), keysOf(mine)]).toEqual([false, 1, ['k1']])
    expect(right(await mine.commit([], [], checkpoint))).toMatchObject({ links: 1, parked: 0 })
  })

  it('believes no link that a later run may have stored', async () => {
    const { mine, ledger } = await opened([link('k1')])
    right(await ledger.claim(3, never())())
    right(await ledger.commit({ fence: 3, writes: [], settle: () => ({ puts: [], drops: [], checkpoint: { ...checkpoint, fence: 3, links: 1 } }) }, never())())
    for (const wanted of [['k1'], 'all'] as const) expect(await mine.load(wanted)).toMatchObject({ left: { is: 'fenced' } })
  })

  it('believes nothing of what is no base, and drops it with the first commit', async () => {
    const { mine, ledger, asked } = await opened([link('old')], { believed: false })
    right(await mine.load(['old']))
    right(await mine.load('all'))
    expect([keysOf(mine), asked, mine.linkCount()]).toEqual([[], [], 0])
    expect(right(await mine.commit([link('new')], [], checkpoint))).toMatchObject({ links: 1 })
    expect(right(await ledger.all('', 10, never())())).toEqual([link('new')])
  })
})

describe('storing', () => {
  it('counts links and what is set aside, also of links that were not read before', async () => {
    const { mine, ledger } = await opened([link('k1'), link('k2', { st: 'parked' }), link('k3')])
    const saved = right(await mine.commit([link('k1', { st: 'parked' }), link('k2'), link('new'), link('new', { st: 'conflict' })], ['k3', 'none'], checkpoint))
    expect(saved).toMatchObject({ fence: 2, links: 3, parked: 2 })
    expect(right(await ledger.peek(never())())).toEqual(saved)
    expect(keysOf(mine)).toEqual(['k1', 'k2', 'new'])
  })

  it('writes rows and what became of them in one transaction', async () => {
    const { mine, store, ledger } = await opened([link('k1')])
    store.mischief.refuseKeys.add('bad')
    const settle = (wrote: ReadonlyArray<Wrote>) => ({ puts: wrote.flatMap((one) => (one.is === 'done' ? [link('good', { idB: one.remoteId })] : [])), drops: ['k1'] })
    const done = right(await mine.commitWith?.([{ do: 'create', key: 'good', fields: {} }, { do: 'create', key: 'bad', fields: {} }], ['good', 'bad', 'k1'], settle, checkpoint) ?? E.left('no'))
    expect([done[0].map(({ is }) => is), done[1].links]).toEqual([['done', 'refused'], 1])
    expect(right(await ledger.all('', 10, never())()).map(([key]) => key)).toEqual(['good'])
  })

  it('leaves what it knows as it was when the transaction fails', async () => {
    const { mine, store } = await opened([link('k1')])
    store.mischief.failWrites = 1
    expect(await mine.commit([link('new')], [], checkpoint)).toMatchObject({ left: { is: 'unavailable', side: 'destination' } })
    expect([mine.linkCount(), keysOf(mine)]).toEqual([1, []])
  })

  it('is not tried without trust in the lease', async () => {
    const { mine, ledger } = await opened([link('k1')], { trusted: () => false })
    expect(await mine.commit([link('new')], [], checkpoint)).toMatchObject({ left: { is: 'fenced' } })
    expect(right(await ledger.peek(never())())).toMatchObject({ fence: 1 })
  })

  it('tells of the first commit, once', async () => {
    const { mine, noted } = await opened()
    right(await mine.commit([link('k1')], [], checkpoint))
    right(await mine.commit([link('k2')], [], checkpoint))
    expect(noted).toMatchObject([{ links: 1 }])
  })
})
