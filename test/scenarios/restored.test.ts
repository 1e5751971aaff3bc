/** SYNC.md §E.3, T48, on PostgreSQL: a database that was put back to yesterday. */
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { freshDatabase } from '../support/postgres.ts'
import { agree, on, written, xyz } from './on-sides.ts'

const run = async (url: string, statement: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client.query<Record<string, unknown>>(statement).then(({ rows }) => rows).finally(() => client.end())
}

describe.each(['tables', 'tables that tell what changed'] as const)('T48 %s', (pair) => {
  it('the destination, with what is remembered beside its rows: nothing is deleted at the source, what is missing comes back', async () => {
    const rig = await on(pair).opened()
    const [url, away] = [await freshDatabase(), rig.ground.url ?? '']
    const name = new URL(url).pathname.slice(1)
    const tells = pair === 'tables' ? '' : ', changed timestamptz not null default clock_timestamp(), gone timestamptz'
    await run(url, `create table b (id text primary key, name text not null, mail text, note text${tells})`)
    rig.options.sides = { b: { url: { env: 'OTHER' } } }
    rig.options.secrets = { OTHER: url }
    for (const [key, entry] of Object.entries(xyz)) await rig.a.put(key, entry)
    await rig.sync()
    await rig.sync()
    await run(away, `create database ${name}_copy template ${name}`)
    await rig.a.put('today', { name: 'today' })
    await rig.a.put('x', { name: 'edited today' })
    await rig.sync()
    const shown = () => run(url, 'select id, name from b order by id').then((rows) => Object.fromEntries(rows.map(({ id, name: named }) => [String(id), { name: String(named) }])))
    const items = { ...xyz, x: { name: 'edited today' }, today: { name: 'today' } }
    expect(await shown()).toEqual(items)
    await run(away, `drop database ${name}`)
    await run(away, `alter database ${name}_copy rename to ${name}`)
    expect(await shown()).toEqual(xyz)
    expect(await written(rig, () => rig.sync())).toEqual({ a: 0, b: 0 })
    expect([await rig.a.shown(), await shown()]).toEqual([items, items])
  })

  it('the source, which its cursor is ahead of now: nothing is deleted at the destination, what is missing comes back', async () => {
    const rig = await on(pair).inSync()
    await rig.a.put('today', { name: 'today' })
    await rig.a.put('x', { name: 'edited today' })
    await rig.sync()
    await rig.sync()
    await rig.ground.sql?.(`delete from a where id = 'today'; update a set name = 'x' where id = 'x'`)
    await rig.ground.loseCursors?.('restored')
    expect((await rig.sync()).flows[0]).toMatchObject({ outcome: 'succeeded', counts: { deleted: 0, created: 1 } })
    // A first meeting: the source wins, and what it won over is kept.
    await agree(rig, { ...xyz, today: { name: 'today' } })
    expect(JSON.stringify(rig.archived.map(({ fields }) => fields))).toContain('edited today')
  })
})
