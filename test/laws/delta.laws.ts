/** Knows what every side keeps to when it is read on from a cursor. */
import { describe, expect, it } from 'vitest'
import { contents, readAll, readOn, tryReadAll, withRig, type LawRig, doesNotApply } from './law-rig.ts'

export const deltaLaws = (make: () => Promise<LawRig>): void => {
  const law = (says: string, body: Parameters<typeof withRig>[1]) => it(says, withRig(make, async (rig, context) => {
    if (!rig.side.capabilities.delta) return doesNotApply(context, 'no delta')
    await body(rig, context)
  }))

  /** The collection with samples 0 to 3, and the cursor behind them. */
  const settled = async (rig: LawRig): Promise<string | null> => {
    for (const n of [0, 1, 2, 3]) await rig.put(rig.sample(n))
    return (await readAll(rig.side)).cursor
  }

  describe('reading on from a cursor', () => {
    law('finds nothing new when nothing happened, and goes on doing so', async (rig) => {
      let cursor = await settled(rig)
      for (let run = 0; run < 3; run++) {
        const reading = await readAll(await rig.reopen(), { cursor })
        expect(reading.coverage).toBe('delta')
        expect(reading.gone).toEqual([])
        expect(reading.cursor).not.toBeNull()
        for (const item of reading.items) expect(samples(rig)).toContainEqual([item.key, contents([item]).get(item.key)])
        cursor = reading.cursor
      }
    })

    law('finds a new and a changed item, and nothing else that is news', async (rig) => {
      const cursor = await settled(rig)
      const news = [rig.sample(4), rig.sample(1, 1)]
      for (const item of news) await rig.put(item)
      const reading = await readOn(await rig.reopen(), cursor)
      const found = contents(reading.items)
      for (const [key, hash] of contents(news)) expect(found.get(key)).toBe(hash)
      const unchanged = new Map([...found].filter(([key]) => !news.some((item) => item.key === key)))
      for (const entry of unchanged) expect(samples(rig), 'what was not changed is at most echoed').toContainEqual(entry)
      expect(reading.gone).toEqual([])
    })

    law('finds changes in pages of one', async (rig) => {
      const cursor = await settled(rig)
      for (const n of [5, 6, 7]) await rig.put(rig.sample(n))
      const reading = await readAll(rig.side, { cursor, limit: 1 })
      const found = contents(reading.items)
      for (const n of [5, 6, 7]) expect(found.has(rig.sample(n).key)).toBe(true)
    })

    law('never misses a deletion where it promises to tell them', async (rig, context) => {
      if (rig.remove === undefined || !rig.side.capabilities.tombstones) return doesNotApply(context, 'deletions are not told')
      const before = (await readAll(rig.side)).cursor
      const cursor = (await settled(rig)) ?? before
      const doomed = (await readAll(rig.side)).items.find((item) => item.key === rig.sample(2).key)
      await rig.remove(rig.sample(2).key)
      const reading = await readOn(await rig.reopen(), cursor)
      if (reading.coverage === 'delta') expect(reading.gone).toEqual([doomed?.remoteId])
      else expect(contents(reading.items)).toEqual(contents([0, 1, 3].map((n) => rig.sample(n))))
    })

    law('never calls a deleted item present', async (rig, context) => {
      if (rig.remove === undefined) return doesNotApply(context, 'nothing is ever deleted')
      const cursor = await settled(rig)
      await rig.remove(rig.sample(2).key)
      const reading = await readOn(await rig.reopen(), cursor)
      expect(reading.items.map((item) => item.key)).not.toContain(rig.sample(2).key)
      expect((await readAll(rig.side)).items.map((item) => item.key)).not.toContain(rig.sample(2).key)
    })

    law('finds an item that was deleted and made anew', async (rig, context) => {
      if (rig.remove === undefined) return doesNotApply(context, 'nothing is ever deleted')
      const cursor = await settled(rig)
      await rig.remove(rig.sample(2).key)
      await rig.put(rig.sample(2, 1))
      const reading = await readOn(await rig.reopen(), cursor)
      expect(contents(reading.items).get(rig.sample(2).key)).toBe(contents([rig.sample(2, 1)]).get(rig.sample(2).key))
    })

    law('that means nothing any more fails as cursor-lost, and a listing still works', async (rig, context) => {
      if (rig.loseCursors === undefined) return doesNotApply(context, 'cursors are never lost')
      const cursor = await settled(rig)
      await rig.loseCursors()
      expect(await tryReadAll(await rig.reopen(), { cursor })).toMatchObject({ is: 'cursor-lost' })
      expect((await readAll(rig.side)).coverage).toBe('listing')
    })

    law('somebody else made up is cursor-lost, never a silent success', async (rig) => {
      await settled(rig)
      const reading = await tryReadAll(rig.side, { cursor: 'certainly not one of ours' })
      if ('is' in reading) expect(reading.is).toBe('cursor-lost')
      else expect(reading.coverage).toBe('listing')
    })
  })
}

const samples = (rig: LawRig): ReadonlyArray<readonly [string, string]> =>
  [...contents([0, 1, 2, 3].map((n) => rig.sample(n)))]
