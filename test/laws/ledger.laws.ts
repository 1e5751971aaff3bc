/**
 * Knows what a destination keeps to that commits rows, links and checkpoint in one transaction (SYNC.md §A.1.4).
 * Fences are lease revisions: whoever acquired later has the greater one.
 */
import { describe, expect, it } from 'vitest'
import type { Side, TransactionalCommit, TransactionalLedger, Write, Wrote } from '#libs/connectors/connector.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import { linkKey } from '#libs/domain/record.ts'
import { contents, isDone, never, ok, readAll, refused, withRig, written, type LawItem, type LawRig, doesNotApply } from './law-rig.ts'

export const ledgerLaws = (make: () => Promise<LawRig>): void => {
  const law = (says: string, body: (rig: LawRig, ledger: TransactionalLedger) => Promise<void>) => it(says, withRig(make, async (rig, context) => {
    if (rig.side.ledger === undefined) return doesNotApply(context, 'no ledger beside the data')
    await body(rig, rig.side.ledger)
  }))

  describe('claiming', () => {
    law('the first time answers that nothing is stored', async (_, ledger) => {
      expect(await ok(ledger.claim(5, never()))).toBeNull()
    })

    law('answers the checkpoint that was committed last', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      await ok(ledger.commit(commitOf(5, [rig.sample(0)]), never()))
      const next = ledgerOf(await rig.reopen())
      expect(await ok(next.claim(6, never()))).toMatchObject({ run: 'run-5', phase: 'delta', gen: 3, cursorA: 'after-5', cursorB: null, links: 1 })
    })

    law('can be spared by a look that changes nothing', async (rig, ledger) => {
      expect(await ok(ledger.peek(never()))).toBeNull()
      await ok(ledger.claim(5, never()))
      await ok(ledger.commit(commitOf(5, [rig.sample(0)]), never()))
      expect(await ok(ledgerOf(await rig.reopen()).peek(never()))).toMatchObject({ run: 'run-5', cursorA: 'after-5' })
      await ok(ledger.commit(commitOf(5, [rig.sample(1)]), never()))
    })

    law('with a fence that is not greater than the stored one is a fence-regress', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      const other = ledgerOf(await rig.reopen())
      for (const fence of [5, 4, 1]) expect((await refused(other.claim(fence, never()))).is).toBe('fence-regress')
      await ok(other.claim(6, never()))
    })
  })

  describe('forgetting', () => {
    law('drops every link, keeps the rows, and answers how many links there were', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      const items = [rig.sample(0), rig.sample(1)]
      await ok(ledger.commit(commitOf(5, items), never()))
      const bare = { ...checkpointOf(5, 0), phase: 'first' as const, cursorA: null }
      expect(await ok(ledger.forget(bare, never()))).toBe(2)
      expect(await ok(ledger.forget(bare, never()))).toBe(0)
      expect(await ok(ledger.links(items.map(linkKeyOf), never()))).toEqual(new Map())
      expect(contents((await readAll(await rig.reopen())).items)).toEqual(written(rig, items))
      expect(await ok(ledgerOf(await rig.reopen()).claim(6, never()))).toMatchObject({ phase: 'first', cursorA: null, links: 0 })
    })

    law('is refused to a run that was overtaken', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      const items = [rig.sample(0)]
      await ok(ledger.commit(commitOf(5, items), never()))
      await ok(ledgerOf(await rig.reopen()).claim(6, never()))
      expect((await refused(ledger.forget(checkpointOf(5, 0), never()))).is).toBe('fenced')
      expect((await ok(ledger.links(items.map(linkKeyOf), never()))).size).toBe(1)
    })
  })

  describe('committing', () => {
    law('stores rows, links and checkpoint together', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      const items = [rig.sample(0), rig.sample(1)]
      const wrote = await ok(ledger.commit(commitOf(5, items), never()))
      expect(wrote.map((answer) => answer.is)).toEqual(['done', 'done'])
      expect(contents((await readAll(await rig.reopen())).items)).toEqual(written(rig, items))
      const links = await ok(ledgerOf(await rig.reopen()).links(['unknown', ...items.map(linkKeyOf)], never()))
      expect([...links.keys()].sort()).toEqual(items.map(linkKeyOf).sort())
      expect(links.get(linkKeyOf(items[0] as LawItem))).toEqual(linkOf(items[0] as LawItem, isDone(wrote[0])))
    })

    law('settles inside the transaction with one answer per write, in order', async (rig, ledger) => {
      await rig.put(rig.sample(1))
      await ok(ledger.claim(5, never()))
      const answers: Array<ReadonlyArray<Wrote>> = []
      const commit = commitOf(5, [rig.sample(0), rig.sample(1, 1), rig.sample(2)])
      const wrote = await ok(ledger.commit({ ...commit, settle: (given) => { answers.push(given); return commit.settle(given) } }, never()))
      expect(answers.at(-1)).toEqual(wrote)
      expect(wrote.map((answer) => answer.is)).toEqual(['done', 'exists', 'done'])
      expect(contents((await readAll(rig.side)).items)).toEqual(new Map([...written(rig, [rig.sample(0)]), ...contents([rig.sample(1)]), ...written(rig, [rig.sample(2)])]))
    })

    law('without writes moves the checkpoint alone', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      expect(await ok(ledger.commit(commitOf(5, []), never()))).toEqual([])
      expect(await ok(ledgerOf(await rig.reopen()).claim(6, never()))).toMatchObject({ cursorA: 'after-5' })
    })

    law('drops links it is told to drop, and replaces those put again', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      const items = [rig.sample(0), rig.sample(1)]
      const keys = items.map(linkKeyOf)
      await ok(ledger.commit(commitOf(5, items), never()))
      const parked: Link = { key: rig.sample(1).key, st: 'parked', idA: 'a', why: 'too long: "ü"' }
      await ok(ledger.commit(linksOnly(5, [[keys[1] as string, parked]], [keys[0] as string]), never()))
      expect(await ok(ledger.links(keys, never()))).toEqual(new Map([[keys[1], parked]]))
    })

    law('is refused to a run that was overtaken, and leaves nothing behind', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      await ok(ledgerOf(await rig.reopen()).claim(6, never()))
      expect((await refused(ledger.commit(commitOf(5, [rig.sample(0)]), never()))).is).toBe('fenced')
      expect((await readAll(rig.side)).items).toEqual([])
      expect(await ok(ledger.links([linkKeyOf(rig.sample(0))], never()))).toEqual(new Map())
    })

    law('whose settling breaks leaves nothing behind', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      const broken = { ...commitOf(5, [rig.sample(0)]), settle: () => { throw new Error('settling broke') } }
      const ended = await ledger.commit(broken, never())().catch(() => ({ _tag: 'Left' }))
      expect(ended._tag).toBe('Left')
      expect((await readAll(await rig.reopen())).items).toEqual([])
    })

    law('twice, as after a lost answer, doubles nothing', async (rig, ledger) => {
      await ok(ledger.claim(5, never()))
      await ok(ledger.commit(commitOf(5, [rig.sample(0)]), never()))
      const again = await ok(ledger.commit(commitOf(5, [rig.sample(0)]), never()))
      expect(again.map((answer) => answer.is)).toEqual(['exists'])
      expect((await readAll(rig.side)).items.length).toBe(1)
    })

    it('refuses the one poison row and commits all others', withRig(make, async (rig, context) => {
      const { ledger } = rig.side
      if (ledger === undefined || rig.poison === undefined) return doesNotApply(context, 'no ledger, or everything is accepted')
      await ok(ledger.claim(5, never()))
      const good = Array.from({ length: 9 }, (_, n) => rig.sample(n))
      const items = [...good.slice(0, 4), rig.poison, ...good.slice(4)]
      const wrote = await ok(ledger.commit(commitOf(5, items), never()))
      expect(wrote.map((answer) => answer.is)).toEqual(items.map((item) => (item === rig.poison ? 'refused' : 'done')))
      expect(contents((await readAll(await rig.reopen())).items)).toEqual(written(rig, good))
      const links = await ok(ledger.links(items.map(linkKeyOf), never()))
      expect(links.get(linkKeyOf(rig.poison))?.st).toBe('parked')
      expect([...links.values()].filter((link) => link.st === 'linked').length).toBe(good.length)
    }))
  })

  describe('what a complete listing did not see', () => {
    /** Links k0…k8 of generation 1, except k2 and k5 (seen in 2); k6 is parked, k7 too and never had a copy, k8 is over. */
    const aged = async (ledger: TransactionalLedger) => {
      await ok(ledger.claim(5, never()))
      const states: ReadonlyArray<Link['st']> = ['linked', 'conflict', 'linked', 'linked', 'linked', 'linked', 'parked', 'parked', 'tomb']
      const puts = states.map((st, n): readonly [string, Link] =>
        [`k${n}`, { key: `id ${n}`, st, idA: `a/${n}`, ...(n === 7 ? {} : { idB: `b/${n}`, hB: 'h' }), hA: 'h', genA: n === 2 || n === 5 ? 2 : 1 }])
      await ok(ledger.commit(linksOnly(5, puts, []), never()))
      return new Map(puts)
    }

    law('is paged by link key, complete and without repetition, set aside or not', async (_, ledger) => {
      const links = await aged(ledger)
      const keys: Array<string> = []
      for (let after = ''; ;) {
        const page = await ok(ledger.unseen(2, after, 3, never()))
        expect(page.length).toBeLessThanOrEqual(3)
        for (const [key, link] of page) {
          expect(link).toEqual(links.get(key))
          keys.push(key)
        }
        if (page.length < 3) break
        after = page.at(-1)?.[0] ?? ''
      }
      expect(keys).toEqual(['k0', 'k1', 'k3', 'k4', 'k6', 'k7'])
    })

    law('is counted, with and without a copy', async (_, ledger) => {
      await aged(ledger)
      expect(await ok(ledger.count(2, never()))).toEqual({ links: 9, unseen: 6, copied: 5 })
      expect(await ok(ledger.count(1, never()))).toEqual({ links: 9, unseen: 0, copied: 0 })
    })

    law('and all others are paged alike, over or not', async (_, ledger) => {
      const links = await aged(ledger)
      const found: Array<readonly [string, Link]> = []
      for (let after = ''; ;) {
        const page = await ok(ledger.all(after, 4, never()))
        expect(page.length).toBeLessThanOrEqual(4)
        found.push(...page)
        if (page.length < 4) break
        after = page.at(-1)?.[0] ?? ''
      }
      expect(found).toEqual([...links])
    })

    law('is counted by side, with all others', async (_, ledger) => {
      expect(await ok(ledger.sizes(never()))).toEqual({ source: 0, destination: 0 })
      await aged(ledger)
      expect(await ok(ledger.sizes(never()))).toEqual({ source: 9, destination: 8 })
      // What both sides show alike, under its identity, is stored in fewer words.
      await ok(ledger.commit(linksOnly(5, [['alike', { key: 'alike', st: 'linked', idA: 'alike', idB: 'alike', hA: 'h', hB: 'h' }], ['only b', { key: 'only b', st: 'tomb', idB: 'b' }]], ['k0']), never()))
      expect(await ok(ledger.sizes(never()))).toEqual({ source: 9, destination: 9 })
    })

    law('is found by the source\'s own ids, for tombstones', async (_, ledger) => {
      const links = await aged(ledger)
      const found = await ok(ledger.linksByRemoteA(['a/3', 'a/6', 'a/99'], never()))
      expect(found).toEqual(new Map([['k3', links.get('k3')], ['k6', links.get('k6')]]))
    })
  })
}

const ledgerOf = (side: Side): TransactionalLedger => {
  if (side.ledger === undefined) throw new Error('expected a ledger')
  return side.ledger
}

const checkpointOf = (fence: number, links: number): Checkpoint =>
  ({ fence, run: `run-${fence}`, phase: 'delta', gen: 3, cursorA: `after-${fence}`, cursorB: null, cfgHash: 'cfg', pages: 0, links, parked: 0 })

const linkKeyOf = (item: LawItem): string => linkKey('laws', 'flow', item.key)

const linkOf = (item: LawItem, wrote: Extract<Wrote, { is: 'done' }>): Link =>
  ({ key: item.key, st: 'linked', idA: `a/${item.key}`, idB: wrote.remoteId, verA: null, verB: wrote.version, hA: 'hash', hB: 'hash', genA: 3 })

/** Creates the items; links those done, parks those refused. */
const commitOf = (fence: number, items: ReadonlyArray<LawItem>): TransactionalCommit => ({
  fence,
  writes: items.map((item): Write => ({ do: 'create', ...item })),
  settle: (wrote) => ({
    puts: items.flatMap((item, n): ReadonlyArray<readonly [string, Link]> => {
      const answer = wrote[n]
      if (answer?.is === 'done') return [[linkKeyOf(item), linkOf(item, answer)]]
      if (answer?.is === 'refused') return [[linkKeyOf(item), { key: item.key, st: 'parked', why: answer.failure.message }]]
      return []
    }),
    drops: [],
    checkpoint: checkpointOf(fence, items.length),
  }),
})

const linksOnly = (fence: number, puts: ReadonlyArray<readonly [string, Link]>, drops: ReadonlyArray<string>): TransactionalCommit =>
  ({ fence, writes: [], settle: () => ({ puts, drops, checkpoint: checkpointOf(fence, puts.length) }) })
