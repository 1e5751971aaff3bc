import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { engineRig } from '../../support/engine-rig.ts'

describe('a conflict whose versions no question can hold', () => {
  it('is held with its reason, and keeps neither the other conflicts nor the cursor', async () => {
    const rig = engineRig()
    for (const key of ['small', 'large']) {
      rig.a.put({ key, fields: { FN: `${key} a` } })
      rig.b.put({ key, fields: { FN: key === 'large' ? 'x'.repeat(700_000) : 'small b' } })
    }
    const { askResolver } = rig.ports
    const ports = { ...rig.ports, askResolver: ((question, trace) => JSON.stringify(question).length > 600_000
      ? async () => E.left({ is: 'bad-item', message: 'too large', code: 'too-large' })
      : askResolver(question, trace)) satisfies typeof askResolver }
    const end = await rig.play({}, { ports })
    expect(end.result).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { conflicts: 2, held: 1, updated: 1 } }] })
    expect(rig.b.byKey('small')[0]?.fields).toEqual({ FN: 'small a' })
    expect(rig.b.byKey('large')[0]?.fields['FN']).toHaveLength(700_000)
    rig.newWrites()
    // Held until one of them changes
    expect((await rig.play({}, { ports })).result).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'delta' }] })
    rig.b.put({ key: 'large', fields: { FN: 'large a' } })
    await rig.play({}, { ports })
    expect(rig.newWrites()).toEqual({ a: 0, b: 0 })
  })
})
