/** What only a two-way flow can get wrong that is remembered beside the rows of its destination (ADR 0016): on PostgreSQL. */
import { describe, expect, it } from 'vitest'
import type { Side, TransactionalCommit } from '#libs/connectors/connector.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import { twoTables, type TwoTables } from '../support/two-tables.ts'
import { many } from './in-sync.ts'

const inSync = async (keys: ReadonlyArray<string> = ['x', 'y', 'z']): Promise<TwoTables> => {
  const rig = await twoTables()
  await rig.put('a', keys, 'first')
  expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', links: keys.length }] })
  await settled(rig)
  return rig
}

/** What we wrote ourselves shows once more in a delta, and is nothing new. */
const settled = async (rig: TwoTables): Promise<void> => {
  await rig.sync()
  await rig.writes()
}

/** Something around the commits at the destination that write rows. */
const aroundCommit = (around: (commit: () => Promise<void>) => Promise<void>) => (name: 'source' | 'destination', side: Side): Side => {
  const { ledger } = side
  if (name === 'source' || ledger === undefined) return side
  const commit = (asked: TransactionalCommit, signal: AbortSignal) => async () => {
    if (asked.writes.length === 0) return ledger.commit(asked, signal)()
    let answer: Awaited<ReturnType<ReturnType<typeof ledger.commit>>> | undefined
    await around(async () => { answer = await ledger.commit(asked, signal)() })
    if (answer === undefined) throw new Error('killed')
    return answer
  }
  return { ...side, ledger: { ...ledger, commit } }
}

const edited = async (rig: TwoTables): Promise<void> => {
  await rig.put('a', ['x', 'new a'], 'by a')
  await rig.put('b', ['y', 'new b'], 'by b')
  await rig.writes()
}
const expected = { 'new a': 'by a', 'new b': 'by b', x: 'by a', y: 'by b', z: 'first' }

const agreed = async (rig: TwoTables, items: Readonly<Record<string, string>>): Promise<void> => {
  expect([await rig.shown('a'), await rig.shown('b')]).toEqual([items, items])
  await settled(rig)
  expect(await rig.sync()).toMatchObject({ quiet: true })
  expect(await rig.writes()).toEqual({ a: 0, b: 0 })
}

describe('where it is remembered', () => {
  it('is beside the rows; in KV stays who stands behind the two sides', async () => {
    const rig = await inSync()
    expect(await rig.sql('SELECT count(*)::int AS links FROM syncline.link')).toEqual([{ links: 3 }])
    const [conn, flow] = ['c1' as ConnectionId, 'main' as FlowId]
    expect(rig.state.peek(stateKeys.checkpoint(conn, flow))).toMatchObject({ phase: 'first', links: 0, pages: 0, sideA: expect.stringContaining('public.a') as unknown, sideB: expect.stringContaining('public.b') as unknown })
    expect(rig.state.peek(stateKeys.page(conn, flow, 0))).toBeUndefined()
    const written = rig.state.log.length
    await edited(rig)
    await rig.sync()
    expect(rig.state.log.slice(written).filter(({ key }) => !key.startsWith('lease.'))).toEqual([])
    await agreed(rig, expected)
  })

  it('is nowhere while a dry run looks', async () => {
    const rig = await twoTables()
    await rig.put('a', ['x'], 'first')
    expect(await rig.sync({ dryRun: true })).toMatchObject({ flows: [{ movesTotal: 1 }] })
    expect(await rig.sql(`SELECT to_regnamespace('syncline') AS schema`)).toEqual([{ schema: null }])
  })
})

describe('a run that is killed', () => {
  it.each(['before', 'after'] as const)('%s its transaction at the destination: run again, the sides are equal, and nothing was written twice', async (when) => {
    const rig = await inSync()
    await edited(rig)
    rig.options.between = aroundCommit(async (commit) => {
      if (when === 'after') await commit()
      throw new Error('killed')
    })
    await rig.play()
    // Rows and links together, or neither.
    expect(await rig.sql(`SELECT count(*)::int AS links FROM syncline.link WHERE link_key = 'new a'`)).toEqual([{ links: when === 'after' ? 1 : 0 }])
    expect(Object.keys(await rig.shown('b')).includes('new a')).toBe(when === 'after')
    rig.options.between = undefined
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ counts: when === 'after' ? { adopted: 0, updated: 0, created: 0 } : { adopted: 2, updated: 1, created: 1, conflicts: 0 } }] })
    expect(await rig.writes()).toEqual({ a: 2, b: 2 })
    await agreed(rig, expected)
  })

  it('T51 and comes back when another has finished: its transaction is refused, and leaves nothing behind', async () => {
    const rig = await inSync()
    await edited(rig)
    let overtaken = false
    rig.options.between = aroundCommit(async (commit) => {
      if (!overtaken) {
        overtaken = true
        rig.state.advance(31_000)
        await rig.put('a', ['x'], 'later')
        expect((await rig.play()).result.outcome).toBe('succeeded')
        await rig.writes()
      }
      await commit()
    })
    const end = await rig.play()
    expect(end.judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    expect(await rig.writes()).toEqual({ a: 0, b: 0 })
    rig.options.between = undefined
    await agreed(rig, { ...expected, x: 'later' })
  })
})

it('T21 a source that cannot be written: what goes the other way still does, and one run after the repair all is well', async () => {
  const rig = await inSync()
  await edited(rig)
  rig.options.between = (name, side) => (name === 'source' ? { ...side, write: () => async () => E.left({ is: 'unavailable', message: 'no space left' }) } : side)
  expect((await rig.play()).judgement).toMatchObject({ is: 'retry', error: { message: 'no space left' } })
  expect(await rig.writes()).toEqual({ a: 0, b: 2 })
  rig.options.between = undefined
  expect(await rig.sync()).toMatchObject({ outcome: 'succeeded' })
  expect(await rig.writes()).toEqual({ a: 2, b: 0 })
  await agreed(rig, expected)
})

describe('T51 a run that looked at both sides before another one', () => {
  it('and reads the links after it: takes nothing that it saw for an edit of what they say', async () => {
    const rig = await inSync()
    await rig.put('b', ['y'], 'seen by both')
    await rig.writes()
    let overtaken = false
    rig.options.between = (name, side) => (name === 'source' || side.ledger === undefined ? side : { ...side, ledger: {
      ...side.ledger,
      links: (keys, signal) => async () => {
        if (!overtaken) {
          overtaken = true
          rig.state.advance(31_000)
          await rig.put('b', ['y'], 'newer')
          expect((await rig.play()).result.outcome).toBe('succeeded')
          await rig.writes()
        }
        return side.ledger?.links(keys, signal)() ?? E.right(new Map())
      },
    } })
    expect((await rig.play()).judgement).toMatchObject({ is: 'abandon', error: { is: 'fenced' } })
    expect(await rig.writes()).toEqual({ a: 0, b: 0 })
    expect(await rig.shown('a')).toMatchObject({ y: 'newer' })
  })
})

describe('what is lost or changed', () => {
  it('the schema beside the rows: a first sync, which brings back and never deletes', async () => {
    const rig = await inSync()
    await rig.sql('DROP SCHEMA syncline CASCADE')
    await rig.sql(`DELETE FROM a WHERE id = 'x'`)
    await rig.remove('b', ['y'])
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'first', counts: { deleted: 0 } }] })
    await agreed(rig, { x: 'first', y: 'first', z: 'first' })
  })

  it('some links: seen by their number as soon as all are read, and nothing is deleted for want of them', async () => {
    const rig = await inSync()
    await rig.sql(`DELETE FROM syncline.link WHERE link_key = 'x'`)
    await rig.remove('a', ['x', 'y'])
    expect(await rig.sync({ mode: 'full' })).toMatchObject({ flows: [{ phase: 'resync', counts: { deleted: 0 } }] })
    expect(await rig.shown('b')).toMatchObject({ x: 'first', y: 'first' })
  })

  it('the configuration: everything is compared again, and what is not shown is not deleted', async () => {
    const rig = await inSync()
    rig.options.flow = { fields: { name: 'name', note: 'note' } }
    await rig.sql(`DELETE FROM a WHERE id = 'x'`)
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'resync', counts: { deleted: 0 } }] })
    expect(await rig.shown('b')).toMatchObject({ x: 'first' })
  })
})

describe('guards', () => {
  it('know how many links there are, not only those that a delta speaks of', async () => {
    const rig = await inSync(many(100))
    await rig.remove('a', many(12))
    await rig.put('b', many(60).slice(30), 'edited')
    await rig.put('a', many(30).map((key) => `new ${key}`), 'new')
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { deleted: 12, updated: 30, created: 30 }, links: 118 }] })
    await settled(rig)
    await rig.remove('b', many(60).slice(12))
    expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'mass-delete', error: { message: expect.stringContaining('48 of 118 items would be deleted at the source') as unknown } }] })
    expect(await rig.writes()).toMatchObject({ a: 0 })
  })

  it('see the canary in a delta that does not speak of it', async () => {
    const rig = await inSync()
    rig.options.flow = { guards: { canary: 'z' } }
    await settled(rig)
    await rig.put('a', ['x'], 'edited')
    expect(await rig.sync()).toMatchObject({ outcome: 'succeeded', flows: [{ phase: 'delta', counts: { updated: 1 } }] })
    await rig.remove('b', ['z'])
    expect(await rig.sync()).toMatchObject({ outcome: 'held', flows: [{ heldBy: 'canary' }] })
  })
})

describe('an operator', () => {
  it('takes a run back on both sides, and the next runs are silent', async () => {
    const rig = await inSync()
    await edited(rig)
    await rig.remove('a', ['z'])
    const { run } = await rig.sync()
    await settled(rig)
    expect(await rig.sync({ undo: run })).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { updated: 2, created: 1, deleted: 2 } }] })
    // What people did themselves stays: it is what the run carried across that is taken back.
    expect(await rig.shown('a')).toEqual({ 'new a': 'by a', x: 'by a', y: 'first' })
    expect(await rig.shown('b')).toEqual({ 'new b': 'by b', x: 'first', y: 'by b', z: 'first' })
    await settled(rig)
    await rig.sync({ mode: 'full' })
    expect(await rig.writes()).toEqual({ a: 0, b: 0 })
  })

  it('forgets the links: the next run only links what is equal, and deletes nothing', async () => {
    const rig = await inSync()
    expect(await rig.sync({ reset: 'links' })).toMatchObject({ outcome: 'succeeded', flows: [{ forgets: { links: 3, next: 'first' } }] })
    expect(await rig.sql('SELECT count(*)::int AS links FROM syncline.link')).toEqual([{ links: 0 }])
    await rig.remove('a', ['x'])
    expect(await rig.sync()).toMatchObject({ flows: [{ phase: 'first', counts: { deleted: 0, adopted: 2 }, links: 3 }] })
  })

  it('forgets the cursor: everything is compared, with the links as the base', async () => {
    const rig = await inSync()
    await rig.remove('a', ['x'])
    expect(await rig.sync({ reset: 'cursor' })).toMatchObject({ flows: [{ forgets: { cursor: true, links: 0, next: 'resync' } }] })
    expect(await rig.sync()).toMatchObject({ flows: [{ phase: 'resync', counts: { deleted: 1 } }] })
    await agreed(rig, { y: 'first', z: 'first' })
  })
})
