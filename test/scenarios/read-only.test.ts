/** SYNC.md §E.1, T17 and T18: a side that may not be written. */
import { describe, expect, it } from 'vitest'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { inSync, isQuiet, listed, shown } from './in-sync.ts'

const sealed = async (readOnly: 'error' | 'ignore' | 'revert', lists = false) => {
  const rig = await inSync({ flow: { readOnly }, ...(lists ? listed : {}) })
  rig.options.b = { ...rig.options.b, readOnly: true }
  return rig
}

describe('T17 a destination that may not be written', () => {
  it('error: the plan fails before its first write, also at the other side', async () => {
    const rig = await sealed('error')
    rig.a.put({ key: 'x', fields: { FN: 'edited' } })
    rig.b.put({ key: 'y', fields: { FN: 'edited there' } })
    const result = await rig.sync()
    expect(result).toMatchObject({ outcome: 'failed', flows: [{ error: { is: 'needs-person', mend: expect.stringContaining('readOnly') as unknown } }] })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(rig.archived).toEqual([])
  })

  it('error: is no obstacle while only the other side is to be written', async () => {
    const rig = await sealed('error')
    rig.b.put({ key: 'y', fields: { FN: 'edited there' } })
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(shown(rig).a['y']).toEqual({ FN: 'edited there' })
  })

  it.each([['in deltas', false], ['in listings', true]])('ignore: changes of the open side stay there, repeats are quiet, and nothing is overwritten unasked (%s)', async (_how, lists) => {
    const rig = await sealed('ignore', lists)
    rig.a.put({ key: 'x', fields: { FN: 'mine' } })
    rig.a.put({ key: 'new', fields: { FN: 'new' } })
    rig.a.removeKey('z')
    expect((await rig.sync()).outcome).toBe('succeeded')
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
    expect(await isQuiet(rig)).toBe(true)
    rig.b.put({ key: 'x', fields: { FN: 'theirs' } })
    await rig.sync()
    expect(shown(rig).a['x']).toEqual({ FN: 'mine' })
  })

  it('ignore: what was left behind comes over once the side may be written', async () => {
    const rig = await sealed('ignore')
    rig.a.put({ key: 'x', fields: { FN: 'mine' } })
    rig.a.removeKey('z')
    await rig.sync()
    rig.options.b = { ...rig.options.b, readOnly: false }
    await rig.sync({ mode: 'full' })
    expect(shown(rig).b).toEqual({ x: { FN: 'mine' }, y: { FN: 'y' } })
  })

  it.each([['in deltas', false], ['in listings', true]])('revert: the open side is put back to what the sealed one shows, and the losers are kept (%s)', async (_how, lists) => {
    const rig = await sealed('revert', lists)
    rig.a.put({ key: 'x', fields: { FN: 'mine' } })
    rig.a.put({ key: 'new', fields: { FN: 'new' } })
    rig.a.removeKey('z')
    await rig.sync()
    expect(shown(rig).a).toEqual({ x: { FN: 'x' }, y: { FN: 'y' }, z: { FN: 'z' } })
    expect(rig.newWrites().b).toBe(0)
    expect(rig.archived.map(({ fields }) => fields['FN']).sort()).toEqual(['mine', 'new'])
    expect(await isQuiet(rig)).toBe(true)
  })

  it('revert: a first meeting removes nothing', async () => {
    const rig = await inSync({ flow: { readOnly: 'revert' }, b: { readOnly: true } })
    expect(Object.keys(shown(rig).a)).toEqual(['x', 'y', 'z'])
    expect(await isQuiet(rig)).toBe(true)
  })
})

describe('T18 a flow that cannot be', () => {
  it('is refused when neither side may be written', async () => {
    const rig = await inSync({ a: { readOnly: true }, b: { readOnly: true } })
    expect(await rig.sync()).toMatchObject({ flows: [{ error: { is: 'needs-person', mend: expect.stringContaining('neither side') as unknown } }] })
  })

  it('is refused when both sides are the same collection', async () => {
    const rig = await inSync()
    const same = { ...rig.ports, openSide: () => async () => ({ _tag: 'Right' as const, right: memorySide(rig.a) }) }
    const { result } = await rig.play({}, { ports: same })
    expect(result).toMatchObject({ flows: [{ error: { is: 'needs-person', message: expect.stringContaining('same collection') as unknown } }] })
  })
})
