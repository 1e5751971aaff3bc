/** Knows what every side keeps to when it is written: preconditions, one answer per write, nothing lost. */
import { describe, expect, it } from 'vitest'
import type { Item } from '#libs/domain/record.ts'
import { contents, create, isDone, one, readAll, readOn, withRig, write, written, type LawItem, type LawRig, doesNotApply } from './law-rig.ts'

export const writingLaws = (make: () => Promise<LawRig>): void => {
  const law = (says: string, body: Parameters<typeof withRig>[1]) => it(says, withRig(make, async (rig, context) => {
    if (!rig.side.capabilities.canWrite) return doesNotApply(context, 'read-only')
    await body(rig, context)
  }))
  const guarded = (says: string, body: Parameters<typeof withRig>[1]) => law(says, async (rig, context) => {
    if (rig.side.capabilities.precondition === 'none') return doesNotApply(context, 'no preconditions')
    await body(rig, context)
  })

  describe('a create', () => {
    law('is read back as it was sent, or as the answer says it was stored', async (rig) => {
      const item = rig.sample(0)
      const done = one(await create(rig.side, [item]))
      const back = one((await readAll(await rig.reopen())).items)
      expect(back.key).toBe(item.key)
      expect(back.remoteId).toBe(done.remoteId)
      expect(contents([back])).toEqual(contents([{ key: item.key, fields: done.fields ?? item.fields }]))
      if (!rig.flakyVersions && done.version !== null) expect(back.version).toBe(done.version)
    })

    law('of an identity that is there already answers exists and overwrites nothing', async (rig) => {
      await rig.put(rig.sample(0))
      const there = one((await readAll(rig.side)).items)
      const wrote = one(await write(rig.side, [{ do: 'create', ...rig.sample(0, 1) }]))
      expect(wrote).toEqual({ is: 'exists', remoteId: there.remoteId })
      expect(contents((await readAll(rig.side)).items)).toEqual(contents([rig.sample(0)]))
    })

    law('takes odd keys as they are', async (rig, context) => {
      if (rig.odd === undefined) return doesNotApply(context, 'keys are of one shape here')
      await create(rig.side, rig.odd)
      const read = await readAll(await rig.reopen())
      expect(contents(read.items)).toEqual(written(rig, rig.odd))
      expect(new Set(read.items.map((item) => item.remoteId)).size).toBe(rig.odd.length)
    })
  })

  describe('an update', () => {
    law('with the version as read changes the content and answers the new version', async (rig) => {
      await rig.put(rig.sample(0))
      const there = await only(rig)
      const done = isDone(one(await write(rig.side, [update(there, rig.sample(0, 1))])))
      const back = await only(rig)
      expect(contents([back])).toEqual(contents([{ key: there.key, fields: done.fields ?? rig.sample(0, 1).fields }]))
      expect(back.remoteId).toBe(done.remoteId)
      if (!rig.flakyVersions && done.version !== null) expect(back.version).toBe(done.version)
    })

    guarded('after somebody else\'s edit answers stale and overwrites nothing', async (rig) => {
      await rig.put(rig.sample(0))
      const seen = await only(rig)
      await rig.put(rig.sample(0, 1))
      expect(await write(rig.side, [update(seen, rig.sample(0, 2))])).toEqual([{ is: 'stale' }])
      expect(contents([await only(rig)])).toEqual(contents([rig.sample(0, 1)]))
    })

    law('that expects nothing writes whatever version is there', async (rig) => {
      await rig.put(rig.sample(0))
      const seen = await only(rig)
      await rig.put(rig.sample(0, 1))
      isDone(one(await write(rig.side, [{ ...update(seen, rig.sample(0, 2)), expect: null }])))
      expect(contents([await only(rig)])).toEqual(written(rig, [rig.sample(0, 2)]))
    })

    law('of an item that is gone answers stale and creates nothing', async (rig, context) => {
      if (rig.remove === undefined) return doesNotApply(context, 'nothing is ever deleted')
      await rig.put(rig.sample(0))
      const seen = await only(rig)
      await rig.remove(seen.key)
      expect(await write(rig.side, [update(seen, rig.sample(0, 1))])).toEqual([{ is: 'stale' }])
      expect(await write(rig.side, [{ ...update(seen, rig.sample(0, 1)), expect: null }])).toEqual([{ is: 'stale' }])
      expect((await readAll(await rig.reopen())).items).toEqual([])
    })

    law('can follow another with the version it answered', async (rig) => {
      let there: Item = await putOnly(rig, rig.sample(0))
      for (const edition of [1, 2, 3]) {
        const done = isDone(one(await write(rig.side, [update(there, rig.sample(0, edition))])))
        there = { ...there, remoteId: done.remoteId, version: done.version }
      }
      expect(contents([await only(rig)])).toEqual(written(rig, [rig.sample(0, 3)]))
    })
  })

  describe('a delete', () => {
    law('with the version as read removes the item', async (rig) => {
      await rig.put(rig.sample(1))
      const there = await putOnly(rig, rig.sample(0))
      isDone(one(await write(rig.side, [remove(there)])))
      expect(contents((await readAll(await rig.reopen())).items)).toEqual(contents([rig.sample(1)]))
    })

    guarded('after somebody else\'s edit answers stale and removes nothing', async (rig) => {
      const seen = await putOnly(rig, rig.sample(0))
      await rig.put(rig.sample(0, 1))
      expect(await write(rig.side, [remove(seen)])).toEqual([{ is: 'stale' }])
      expect(contents([await only(rig)])).toEqual(contents([rig.sample(0, 1)]))
    })

    law('of an item that is gone answers done or stale', async (rig) => {
      const seen = await putOnly(rig, rig.sample(0))
      isDone(one(await write(rig.side, [remove(seen)])))
      expect(['done', 'stale']).toContain(one(await write(rig.side, [remove(seen)])).is)
    })

    law('lets the same identity be created again', async (rig) => {
      const seen = await putOnly(rig, rig.sample(0))
      isDone(one(await write(rig.side, [remove(seen)])))
      one(await create(rig.side, [rig.sample(0, 1)]))
      expect(contents([await only(rig)])).toEqual(written(rig, [rig.sample(0, 1)]))
    })
  })

  describe('a batch', () => {
    law('is answered one by one, in its order', async (rig) => {
      for (const n of [0, 1]) await rig.put(rig.sample(n))
      const there = (await readAll(rig.side)).items
      const [zero, first] = [byKey(there, rig.sample(0)), byKey(there, rig.sample(1))]
      const wrote = await write(rig.side, [
        { do: 'create', ...rig.sample(2) },
        { do: 'create', ...rig.sample(1, 1) },
        update(zero, rig.sample(0, 1)),
        remove(first),
        { do: 'create', ...rig.sample(3) },
      ])
      expect(wrote.map((answer) => answer.is)).toEqual(['done', 'exists', 'done', 'done', 'done'])
      expect(contents((await readAll(await rig.reopen())).items)).toEqual(written(rig, [rig.sample(0, 1), rig.sample(2), rig.sample(3)]))
    })

    law('of nothing is nothing', async (rig) => {
      expect(await write(rig.side, [])).toEqual([])
    })

    law('with an item that is never accepted refuses that one and writes the others', async (rig, context) => {
      if (rig.poison === undefined) return doesNotApply(context, 'everything is accepted here')
      const wrote = await write(rig.side, [rig.sample(0), rig.poison, rig.sample(1)].map((item) => ({ do: 'create', ...item })))
      expect(wrote.map((answer) => answer.is)).toEqual(['done', 'refused', 'done'])
      expect(contents((await readAll(rig.side)).items)).toEqual(written(rig, [rig.sample(0), rig.sample(1)]))
    })

    law('is at most echoed by the next delta', async (rig, context) => {
      if (!rig.side.capabilities.delta) return doesNotApply(context, 'no delta')
      await rig.put(rig.sample(0))
      const cursor = (await readAll(rig.side)).cursor
      await create(rig.side, [rig.sample(1), rig.sample(2)])
      const reading = await readOn(await rig.reopen(), cursor)
      const known = new Map([...contents([rig.sample(0)]), ...written(rig, [rig.sample(1), rig.sample(2)])])
      for (const [key, hash] of contents(reading.items)) expect(hash).toBe(known.get(key))
      expect(reading.gone).toEqual([])
    })
  })
}

const update = (there: Item, item: LawItem) => ({ do: 'update', key: item.key, remoteId: there.remoteId, expect: there.version, fields: item.fields }) as const
const remove = (there: Item) => ({ do: 'delete', key: there.key, remoteId: there.remoteId, expect: there.version }) as const

const only = async (rig: LawRig): Promise<Item> => one((await readAll(await rig.reopen())).items)

const putOnly = async (rig: LawRig, item: LawItem): Promise<Item> => {
  await rig.put(item)
  return byKey((await readAll(rig.side)).items, item)
}

const byKey = (items: ReadonlyArray<Item>, wanted: LawItem): Item => {
  const found = items.find((item) => item.key === wanted.key)
  if (found === undefined) throw new Error(`no item ${wanted.key}`)
  return found
}
