/** A streamed page and the archive: what is overwritten is kept before it is committed, whatever breaks in between. */
import { describe, expect, it } from 'vitest'
import type { Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Ports } from '../../../services/sync-worker/ports.ts'
import { inSync, isQuiet, many, shown, streamed } from '../../scenarios/in-sync.ts'
import type { EngineRig } from '../../support/engine-rig.ts'

const edit = (rig: EngineRig, keys: ReadonlyArray<string>): void => {
  for (const key of keys) rig.a.put({ key, fields: { FN: `${key} edited` } })
}
const names = (side: Readonly<Record<string, Fields>>, keys: ReadonlyArray<string>) => keys.map((key) => side[key]?.['FN'])
const archiving = (rig: EngineRig, sayArchived: Ports['sayArchived']): Ports => ({ ...rig.ports, sayArchived })

describe('the versions that a page overwrites', () => {
  it('are handed to the archive together, while the destination still shows them', async () => {
    const keys = many(20)
    const rig = await inSync(streamed, keys)
    edit(rig, keys)
    const said: Array<number> = []
    const then: Array<unknown> = []
    await rig.play({}, { ports: archiving(rig, (replaced, trace) => async () => {
      said.push(replaced.length)
      then.push(...names(shown(rig).b, keys))
      return rig.ports.sayArchived(replaced, trace)()
    }) })
    expect(said).toEqual([20])
    expect(then).toEqual(keys)
    expect(rig.archived.map(({ fields }) => fields['FN'])).toEqual(keys)
    expect(names(shown(rig).b, keys)).toEqual(keys.map((key) => `${key} edited`))
  })

  it('that cannot be archived are not overwritten, and the page after them is not either', async () => {
    const keys = many(6)
    const rig = await inSync({ ...streamed, a: { pageSize: 3 } }, keys)
    edit(rig, keys)
    let asked = 0
    const { result } = await rig.play({}, { ports: archiving(rig, () => async () => {
      asked += 1
      return E.left({ is: 'unavailable', message: 'SYNC_ARCHIVE: full' })
    }) })
    expect(result.flows[0]).toMatchObject({ outcome: 'failed', error: { message: 'SYNC_ARCHIVE: full' }, counts: { updated: 0 } })
    expect(asked).toBe(1)
    expect(names(shown(rig).b, keys)).toEqual(keys)
    await rig.sync()
    expect(names(shown(rig).b, keys)).toEqual(keys.map((key) => `${key} edited`))
    expect(await isQuiet(rig)).toBe(true)
  })

  it('are there to be read after a crash between archive and commit, and the next run overwrites them', async () => {
    const keys = many(4)
    const rig = await inSync(streamed, keys)
    edit(rig, keys)
    await rig.play({}, { ports: archiving(rig, (replaced, trace) => async () => {
      await rig.ports.sayArchived(replaced, trace)()
      throw new Error('killed')
    }) })
    expect(names(shown(rig).b, keys)).toEqual(keys)
    expect(rig.archived.map(({ fields }) => fields['FN'])).toEqual(keys)
    await rig.sync()
    expect(names(shown(rig).b, keys)).toEqual(keys.map((key) => `${key} edited`))
    expect(await isQuiet(rig)).toBe(true)
  })

  it('of a page that is not written in the end do not bring about the next one', async () => {
    const keys = many(6)
    const rig = await inSync({ ...streamed, a: { pageSize: 3 } }, keys)
    edit(rig, keys)
    rig.b.mischief.failWrites = 1
    expect((await rig.sync()).flows[0]).toMatchObject({ outcome: 'failed', counts: { updated: 0 } })
    expect(rig.archived.map(({ key }) => key)).toEqual(keys.slice(0, 3))
    expect(names(shown(rig).b, keys)).toEqual(keys)
    await rig.sync()
    expect(names(shown(rig).b, keys)).toEqual(keys.map((key) => `${key} edited`))
  })
})
