/** T65, the zombie and the lost line, on a real server through a proxy that loses what it is told to. */
import { describe, expect, it } from 'vitest'
import type { Side, TransactionalCommit, TransactionalLedger, Write } from '#libs/connectors/connector.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { never, ok, refused } from '../../../laws/law-rig.ts'
import { pgProxy, type Heard } from './pg-proxy.ts'
import { pgFile, withPg, type PgRig } from './pg-rig.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig) => Promise<void>) => it(says, withPg(newRig, body))

const ledgerOf = (side: Side): TransactionalLedger => {
  if (side.ledger === undefined) throw new Error('expected a ledger')
  return side.ledger
}
const commitOf = (fence: number, ids: ReadonlyArray<string>): TransactionalCommit => ({
  fence,
  writes: ids.map((id): Write => ({ do: 'create', key: id, fields: { id, v: `by ${fence}` } })),
  settle: (wrote) => ({
    puts: ids.map((id, n): readonly [string, Link] => [`link ${id}`, { key: id, st: wrote[n]?.is === 'done' ? 'linked' : 'parked', idA: id, idB: id }]),
    drops: [],
    checkpoint: { fence, run: `run-${fence}`, phase: 'delta', gen: 1, cursorA: `${fence} ${ids.join()}`, cursorB: null, cfgHash: 'c', pages: 0, links: ids.length, parked: 0 },
  }),
})
const prepare = async (rig: PgRig) => {
  await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY, v text)')
  const open = (url = rig.url) => rig.open({ table: rig.table('t') }, { url })
  const rows = async () => (await rig.sql('SELECT id FROM t ORDER BY id')).map(({ id }) => id)
  return { open, rows }
}
/** Does it at the first COMMIT of a run, not at that of making the sidecar. */
const atFirstCommit = (what: Heard) => {
  let done = false
  return (statement: string): Heard => {
    if (statement !== 'COMMIT' || done) return 'forward'
    done = true
    return what
  }
}

describe('T65: the line breaks around COMMIT', () => {
  scenario('after it: the checkpoint says that it landed, the answers are told, nothing is done twice', async (rig) => {
    const { open, rows } = await prepare(rig)
    const proxy = await pgProxy(rig.url, atFirstCommit('swallow-answer'))
    const ledger = ledgerOf(await open(proxy.url))
    await ok(ledger.claim(5, never()))
    const wrote = await ok(ledger.commit(commitOf(5, ['1', '2']), never()))
    expect(wrote.map(({ is }) => is)).toEqual(['done', 'done'])
    expect(await rows()).toEqual(['1', '2'])
    expect(proxy.statements.filter((statement) => statement === 'COMMIT').length).toBe(1)
    expect(await ok(ledger.peek(never()))).toMatchObject({ cursorA: '5 1,2' })
    expect((await ok(ledger.links(['link 1'], never()))).get('link 1')).toMatchObject({ st: 'linked' })
  })

  scenario('before it: nothing landed, the transaction is repeated and everything is there once', async (rig) => {
    const { open, rows } = await prepare(rig)
    const proxy = await pgProxy(rig.url, atFirstCommit('cut-before'))
    const ledger = ledgerOf(await open(proxy.url))
    await ok(ledger.claim(5, never()))
    expect((await ok(ledger.commit(commitOf(5, ['1', '2']), never()))).map(({ is }) => is)).toEqual(['done', 'done'])
    expect(await rows()).toEqual(['1', '2'])
    expect(proxy.statements.filter((statement) => statement === 'COMMIT').length).toBe(2)
  })

  scenario('and a later run took over meanwhile: fenced', async (rig) => {
    const { open, rows } = await prepare(rig)
    const other = ledgerOf(await open())
    let claimed: Promise<unknown> = Promise.resolve()
    const lose = atFirstCommit('cut-before')
    const proxy = await pgProxy(rig.url, (statement) => {
      const what = lose(statement)
      if (what === 'cut-before') claimed = ok(other.claim(6, never()))
      // The reading back waits until the other one has the row.
      return what
    })
    const ledger = ledgerOf(await open(proxy.url))
    await ok(ledger.claim(5, never()))
    const end = await ledger.commit(commitOf(5, ['1']), never())()
    await claimed
    // Whoever reached the row first: either it is this run's, and then it was committed before the other claimed it, or not at all.
    if (end._tag === 'Left') expect(end.left.is).toBe('fenced')
    expect(await rows()).toEqual(end._tag === 'Left' ? [] : ['1'])
    expect((await refused(ledger.commit(commitOf(5, ['9']), never()))).is).toBe('fenced')
  })

  scenario('when our backend is killed right after COMMIT was sent, the row decides', async (rig) => {
    const { open, rows } = await prepare(rig)
    const killer = await rig.connect()
    let kill: Promise<unknown> = Promise.resolve()
    const proxy = await pgProxy(rig.url, (statement) => {
      if (statement === 'COMMIT') kill = killer.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'syncline' AND datname = current_database() AND state <> 'idle'")
      return 'forward'
    })
    const ledger = ledgerOf(await open(proxy.url))
    await ok(ledger.claim(5, never()))
    for (const id of ['1', '2', '3', '4']) {
      const end = await ledger.commit(commitOf(5, [id]), never())()
      await kill
      const there = (await rows()).includes(id)
      expect(there).toBe(end._tag === 'Right')
      expect((await ok(ledgerOf(await open()).links([`link ${id}`], never()))).has(`link ${id}`)).toBe(there)
    }
  })

  scenario('plain writes whose answer was lost are ambiguous', async (rig) => {
    const { open, rows } = await prepare(rig)
    const proxy = await pgProxy(rig.url, atFirstCommit('swallow-answer'))
    const side = await open(proxy.url)
    expect(await refused(side.write([{ do: 'create', key: '1', fields: { id: '1', v: 'x' } }], never()))).toMatchObject({ is: 'ambiguous', code: '08007' })
    expect(await rows()).toEqual(['1'])
  })
})

describe('what a commit waits for', () => {
  scenario('is begun when the rows are under way, and nothing is there before it has gone well', async (rig) => {
    const { open, rows } = await prepare(rig)
    const proxy = await pgProxy(rig.url)
    const ledger = ledgerOf(await open(proxy.url))
    await ok(ledger.claim(5, never()))
    const begun = Promise.withResolvers<undefined>()
    const stored = Promise.withResolvers<undefined>()
    const commits = (): number => proxy.statements.filter((statement) => statement === 'COMMIT').length
    const committing = ledger.commit({ ...commitOf(5, ['1', '2']), ready: async () => {
      begun.resolve(undefined)
      await stored.promise
      return E.right(undefined)
    } }, never())()
    await begun.promise
    await expect.poll(() => proxy.statements.some((statement) => statement.includes('syncline.link'))).toBe(true)
    expect([commits(), await rows()]).toEqual([0, []])
    stored.resolve(undefined)
    expect(E.isRight(await committing)).toBe(true)
    expect([commits(), await rows()]).toEqual([1, ['1', '2']])
  })

  scenario('undoes the rows where it fails', async (rig) => {
    const { open, rows } = await prepare(rig)
    const ledger = ledgerOf(await open())
    await ok(ledger.claim(5, never()))
    const end = await refused(ledger.commit({ ...commitOf(5, ['1', '2']), ready: () => Promise.resolve(E.left({ is: 'unavailable', message: 'the archive is full' })) }, never()))
    expect(end.message).toBe('the archive is full')
    expect(await rows()).toEqual([])
    expect((await ok(ledger.links(['link 1'], never()))).size).toBe(0)
    expect((await ok(ledger.commit(commitOf(5, ['1']), never()))).map(({ is }) => is)).toEqual(['done'])
  })
})

describe('a zombie', () => {
  scenario('that has written but not committed is waited for, and what it commits first counts', async (rig) => {
    const { open, rows } = await prepare(rig)
    const zombie = await rig.connect()
    const ledger = ledgerOf(await open())
    await ok(ledger.claim(5, never()))
    await ok(ledger.commit(commitOf(5, ['1']), never()))
    // The zombie's transaction has moved the checkpoint and stands before its COMMIT.
    await zombie.query('BEGIN')
    await zombie.query("INSERT INTO t VALUES (2, 'by zombie')")
    await zombie.query('UPDATE syncline.checkpoint SET at = now() WHERE flow = $1 AND fence <= 5', [rig.flow])
    const next = ledgerOf(await open())
    let claimed = false
    const claim = ok(next.claim(6, never())).then((checkpoint) => {
      claimed = true
      return checkpoint
    })
    const watcher = await rig.connect()
    await until(async () => (await watcher.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE syncline.checkpoint%'")).rowCount === 1)
    expect(claimed).toBe(false)
    await zombie.query('COMMIT')
    expect(await claim).toMatchObject({ cursorA: '5 1' })
    expect((await refused(ledger.commit(commitOf(5, ['3']), never()))).is).toBe('fenced')
    expect(await rows()).toEqual(['1', '2'])
  })

  scenario('two runs that claim at once: the greater fence is the one that may commit', async (rig) => {
    const { open, rows } = await prepare(rig)
    const ledgers = [ledgerOf(await open()), ledgerOf(await open())] as const
    const claims = await Promise.all([ledgers[0].claim(7, never())(), ledgers[1].claim(8, never())()])
    expect(claims[1]._tag).toBe('Right')
    await ok(ledgers[1].commit(commitOf(8, ['1']), never()))
    expect((await refused(ledgers[0].commit(commitOf(7, ['2']), never()))).is).toBe('fenced')
    expect(await rows()).toEqual(['1'])
  })
})

describe('links', () => {
  scenario('in bulk replace one another, whatever texts they hold', async (rig) => {
    const { open } = await prepare(rig)
    const ledger = ledgerOf(await open())
    await ok(ledger.claim(5, never()))
    const puts = (gen: number) => Array.from({ length: 500 }, (_, n): readonly [string, Link] => [`k${n}`, {
      key: `\t"${n}"\\N\n`, st: 'linked', idA: `a${n}`, verA: null, verB: '1', hA: 'h', genA: gen, wroteB: 1_700_000_000_000, fh: { tags: ['a'] }, ...(n === 7 ? { key: 'zero \0 half \ud800' } : {}), ...(n % 2 === 0 ? { idB: `b${n}` } : {}),
    }])
    const commit = (all: ReturnType<typeof puts>): TransactionalCommit => ({ ...commitOf(5, []), settle: () => ({ ...commitOf(5, []).settle([]), puts: all }) })
    for (const gen of [1, 2, 3]) await ok(ledger.commit(commit(puts(gen)), never()))
    expect(await ok(ledger.links(puts(3).map(([key]) => key), never()))).toEqual(new Map(puts(3)))
    expect(await ok(ledger.count(4, never()))).toEqual({ links: 500, unseen: 500, copied: 250 })
  })

  scenario('of two flows never meet', async (rig) => {
    const { open } = await prepare(rig)
    const mine = ledgerOf(await open())
    await ok(mine.claim(5, never()))
    await ok(mine.commit(commitOf(5, ['1']), never()))
    await rig.sql("INSERT INTO syncline.checkpoint (conn, flow, fence) VALUES ('laws', $1, 1)", [`${rig.flow} other`])
    await rig.sql("INSERT INTO syncline.link (ledger, link_key, key, st) SELECT ledger, 'link 2', '2', 'linked' FROM syncline.checkpoint WHERE flow = $1", [`${rig.flow} other`])
    expect((await ok(mine.links(['link 1', 'link 2'], never()))).size).toBe(1)
  })
})

describe('a database that does not let us', () => {
  scenario('make the sidecar says which statement helps', async (rig) => {
    await rig.sql(`CREATE TABLE t (id bigint PRIMARY KEY); CREATE ROLE poor_${rig.flow} LOGIN PASSWORD 'secret-word'; GRANT USAGE ON SCHEMA ${rig.flow} TO poor_${rig.flow}`)
    await rig.sql('DROP SCHEMA IF EXISTS syncline CASCADE')
    const url = new URL(rig.url)
    url.username = `poor_${rig.flow}`
    url.password = 'secret-word'
    const side = await rig.open({ table: rig.table('t') }, { url: url.href })
    const failure = await refused(ledgerOf(side).claim(5, never()))
    expect(failure).toMatchObject({ is: 'needs-person', code: '42501', mend: expect.stringContaining(`CREATE SCHEMA IF NOT EXISTS syncline AUTHORIZATION poor_${rig.flow}`) })
    await rig.sql(`CREATE SCHEMA syncline AUTHORIZATION poor_${rig.flow}`)
    expect(await ok(ledgerOf(side).claim(5, never()))).toBeNull()
  })

  scenario('in names the user but never the password', async (rig) => {
    await rig.sql('CREATE TABLE t (id bigint PRIMARY KEY)')
    for (const change of [(url: URL) => { url.password = 'wrong-secret' }, (url: URL) => { url.port = '1' }, (url: URL) => { url.pathname = '/nowhere' }]) {
      const url = new URL(rig.url)
      url.password = 'wrong-secret'
      change(url)
      const end = await rig.open({ table: rig.table('t') }, { url: url.href }).then(() => 'opened', (cause: unknown) => String(cause))
      expect(end).not.toContain('wrong-secret')
      if (end !== 'opened') expect(end).toMatch(/needs-person|unavailable/)
    }
  })
})

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((next) => setImmediate(next))
}
