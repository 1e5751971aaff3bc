/** Knows what every side keeps to when it is listed, fetched and searched. */
import { describe, expect, it } from 'vitest'
import { contents, never, ok, one, readAll, refused, withRig, type LawItem, type LawRig, doesNotApply } from './law-rig.ts'

export const readingLaws = (make: () => Promise<LawRig>): void => {
  const law = (says: string, body: Parameters<typeof withRig>[1]) => it(says, withRig(make, body))

  describe('identity', () => {
    law('is the same for the next worker and holds no secret', async (rig) => {
      const again = await rig.reopen()
      expect(again.identity).toBe(rig.side.identity)
      expect(again.capabilities).toEqual(rig.side.capabilities)
      expect(rig.side.identity).not.toBe('')
      for (const secret of rig.secrets ?? []) expect(rig.side.identity).not.toContain(secret)
    })
  })

  describe('a listing', () => {
    law('of an empty collection is one empty last page', async (rig) => {
      const reading = await readAll(rig.side)
      expect(reading).toMatchObject({ coverage: 'listing', items: [], gone: [], bad: [], changes: 0 })
    })

    law('without a cursor is complete, and says every item once', async (rig) => {
      const items = await putSome(rig, 7)
      const reading = await readAll(rig.side, { limit: 3 })
      expect(reading.coverage).toBe('listing')
      expect(contents(reading.items)).toEqual(contents(items))
      expect(new Set(reading.items.map((item) => item.remoteId)).size).toBe(7)
      expect(reading.items.length).toBe(7)
    })

    law('fits any page size', async (rig) => {
      const items = await putSome(rig, 6)
      for (const limit of [1, 2, 3, 6, 7]) expect(contents((await readAll(rig.side, { limit })).items)).toEqual(contents(items))
    })

    law('taken twice gives equal items, with equal versions unless they are flaky', async (rig) => {
      await putSome(rig, 4)
      const [first, second] = [await readAll(rig.side), await readAll(await rig.reopen())]
      const shown = (reading: typeof first) => reading.items
        .map((item) => ({ ...item, version: rig.flakyVersions ? null : item.version }))
        .sort((a, b) => (a.remoteId < b.remoteId ? -1 : 1))
      expect(shown(second)).toEqual(shown(first))
    })

    law('shows another version once the content is another', async (rig, context) => {
      await rig.put(rig.sample(0, 0))
      const before = one((await readAll(rig.side)).items)
      if (before.version === null) return doesNotApply(context, 'no versions here')
      await rig.put(rig.sample(0, 1))
      const after = one((await readAll(await rig.reopen())).items)
      expect(after.key).toBe(before.key)
      expect(after.version).not.toBe(before.version)
    })

    law('is not spoilt by one item nobody can read', async (rig, context) => {
      if (rig.spoil === undefined) return doesNotApply(context, 'nothing can be unreadable here')
      const items = await putSome(rig, 3)
      await rig.spoil()
      const reading = await readAll(rig.side)
      expect(contents(reading.items)).toEqual(contents(items))
      const bad = one(reading.bad)
      expect(bad.failure.is).toBe('bad-item')
      expect(bad.failure.message).not.toBe('')
    })

    law('ends with a cursor when the side can tell changes since', async (rig, context) => {
      if (!rig.side.capabilities.delta) return doesNotApply(context, 'no delta')
      await putSome(rig, 2)
      expect((await readAll(rig.side)).cursor).not.toBeNull()
    })

    law('that was aborted never claims to be complete, and ends promptly', async (rig) => {
      await putSome(rig, 6)
      const abort = new AbortController()
      const opened = await rig.side.read({ cursor: null, limit: 2, resuming: false, signal: abort.signal })()
      abort.abort()
      if (opened._tag === 'Left') return
      await refused(opened.right.next)
      await opened.right.close()
    })

    law('may be closed early, and twice', async (rig) => {
      await putSome(rig, 5)
      const reader = await ok(rig.side.read({ cursor: null, limit: 2, resuming: false, signal: never() }))
      await ok(reader.next)
      await reader.close()
      await reader.close()
      expect((await readAll(rig.side)).items.length).toBe(5)
    })

    law('broken off after any page is read on by the next worker without loss or repetition', async (rig, context) => {
      if (!rig.side.capabilities.resumableListing) return doesNotApply(context, 'listings start afresh')
      const items = await putSome(rig, 9)
      for (const pages of [1, 2, 4]) {
        const { read, resume } = await breakOff(rig, pages)
        expect(resume, 'a resumable listing says where to read on').not.toBeNull()
        const rest = await readAll(await rig.reopen(), { cursor: resume, limit: 2, resuming: true })
        expect(rest.coverage).toBe('listing')
        expect([...read, ...rest.items.map((item) => item.key)].sort()).toEqual(items.map((item) => item.key).sort())
      }
    })
  })

  describe('fetch', () => {
    law('answers the content of the ids asked for, and leaves out those that are gone', async (rig) => {
      await putSome(rig, 3)
      const listed = (await readAll(rig.side)).items
      const [first, second] = [listed[0], listed[1]]
      if (first === undefined || second === undefined) throw new Error('expected items')
      await rig.remove?.(second.key)
      const asked = rig.remove === undefined ? [first.remoteId] : [first.remoteId, second.remoteId]
      const got = one(await ok((await rig.reopen()).fetch(asked, never())))
      if (got.is !== 'item') throw new Error(`expected an item, got ${got.is}`)
      expect({ key: got.item.key, remoteId: got.item.remoteId, fields: got.item.fields }).toEqual({ key: first.key, remoteId: first.remoteId, fields: first.fields })
    })

    law('of nothing is nothing', async (rig) => {
      expect(await ok(rig.side.fetch([], never()))).toEqual([])
    })
  })

  describe('find', () => {
    law('answers by the keys asked for, and leaves out unknown ones', async (rig, context) => {
      if (!rig.side.capabilities.find) return doesNotApply(context, 'cannot find by key')
      await putSome(rig, 5)
      const wanted = [rig.sample(1), rig.sample(3)]
      const asked = [...wanted, rig.sample(77)].map((item) => item.key)
      const found = await ok(rig.side.find(asked, never()))
      expect(contents(found)).toEqual(contents(wanted))
      const listed = (await readAll(rig.side)).items
      for (const item of found) expect(listed.map((known) => known.remoteId)).toContain(item.remoteId)
      expect(await ok(rig.side.find([], never()))).toEqual([])
    })

    law('sees what was put there since', async (rig, context) => {
      if (!rig.side.capabilities.find) return doesNotApply(context, 'cannot find by key')
      await rig.put(rig.sample(0))
      await ok(rig.side.find([rig.sample(0).key], never()))
      await rig.put(rig.sample(1))
      await rig.put(rig.sample(0, 1))
      const found = await ok(rig.side.find([rig.sample(0).key, rig.sample(1).key], never()))
      expect(contents(found)).toEqual(contents([rig.sample(0, 1), rig.sample(1)]))
    })
  })
}

const putSome = async (rig: LawRig, count: number): Promise<ReadonlyArray<LawItem>> => {
  const items = Array.from({ length: count }, (_, n) => rig.sample(n))
  for (const item of items) await rig.put(item)
  return items
}

/** Reads so many pages of two of a listing, then vanishes: the keys read and where the last page says to read on. */
const breakOff = async (rig: LawRig, pages: number): Promise<{ read: ReadonlyArray<string>; resume: string | null }> => {
  const side = await rig.reopen()
  const reader = await ok(side.read({ cursor: null, limit: 2, resuming: false, signal: never() }))
  const read: Array<string> = []
  let resume: string | null = null
  for (let page = 0; page < pages; page++) {
    const { changes, resume: next, last } = await ok(reader.next)
    expect(last).toBe(false)
    for (const change of changes) if (change.is === 'item') read.push(change.item.key)
    resume = next
  }
  await reader.close()
  return { read, resume }
}
