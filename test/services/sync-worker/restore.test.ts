/** An archived version comes back as an edit of its side, and is carried across. */
import { describe, expect, it } from 'vitest'
import { engineRig } from '../../support/engine-rig.ts'

describe('restoring an archived version', () => {
  it('puts it back on its side and carries it across; what it replaces is archived too', async () => {
    const rig = engineRig()
    rig.a.put({ key: 'x', fields: { FN: 'one' } })
    await rig.sync()
    rig.a.put({ key: 'x', fields: { FN: 'two' } })
    await rig.sync()
    expect(rig.archived).toMatchObject([{ side: 'destination', fields: { FN: 'one' } }])
    await rig.sync({ restore: 1 })
    expect([rig.a, rig.b].map((side) => side.byKey('x')[0]?.fields)).toEqual([{ FN: 'one' }, { FN: 'one' }])
    expect(rig.archived.map(({ fields }) => fields)).toContainEqual({ FN: 'two' })
  })

  it('brings a deleted item back to both sides', async () => {
    const rig = engineRig()
    rig.a.put({ key: 'x', fields: { FN: 'one' } })
    rig.a.put({ key: 'y', fields: { FN: 'other' } })
    await rig.sync()
    rig.a.removeKey('x')
    await rig.sync()
    expect(rig.b.byKey('x')).toEqual([])
    await rig.sync({ restore: 1 })
    expect([rig.a, rig.b].map((side) => side.byKey('x')[0]?.fields)).toEqual([{ FN: 'one' }, { FN: 'one' }])
  })

  it('says so when there is no such version', async () => {
    const rig = engineRig()
    expect(await rig.sync({ restore: 9 })).toMatchObject({ outcome: 'failed', error: { is: 'needs-person', message: expect.stringContaining('no archived version 9') as unknown } })
  })
})
