/**
 * One worker's engine between two real sides of one kind, folders of cards or tables of a PostgreSQL: the people who edit
 * them, what they show, and marks that move with every write of anybody. Does not know what is to be expected.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Side, TransactionalCommit, Write, Wrote } from '#libs/connectors/connector.ts'
import { fileConnector } from '#libs/connectors/file/file.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import { Connection } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { E, TE } from '#libs/fp.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { engineRig, type EngineRig } from './engine-rig.ts'
import { freshDatabase } from './postgres.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Names of different lengths, please: files have no finer clock than theirs. */
export type Entry = { readonly name: string; readonly mail?: string }

type Place = {
  readonly put: (key: string, entry: Entry) => Promise<void>
  readonly remove: (key: string) => Promise<void>
  readonly shown: () => Promise<Readonly<Record<string, Entry>>>
  /** By item, whatever changes with every write. */
  readonly marks: () => Promise<Readonly<Record<string, string>>>
  /** The same item elsewhere; only where items have a place of their own. */
  readonly move?: (key: string) => Promise<void>
  /** A second item with the identity of the first. */
  readonly twin?: (key: string, entry: Entry) => Promise<void>
}

/** What comes between the engine and a side. */
type Between = (name: 'source' | 'destination', side: Side) => Side

export type RealRig = Pick<EngineRig, 'archived' | 'parked' | 'resolver'> & {
  readonly a: Place
  readonly b: Place
  readonly options: { connection: Record<string, unknown>; between: Between | undefined }
  readonly sync: (item?: Partial<WorkItem>) => Promise<RunResult>
  /** Syncs and tells whether either side was written to. */
  readonly writesNothing: () => Promise<boolean>
  readonly stop: () => Promise<void>
}

export const pairs = ['folders of cards', 'tables'] as const

export const realRig = async (pair: (typeof pairs)[number], connection: Record<string, unknown> = {}): Promise<RealRig> => {
  const { dir, url, places: [a, b], kind, side, stop } = await (pair === 'tables' ? tables() : folders())
  const rig = engineRig()
  const options: RealRig['options'] = { connection, between: undefined }
  const connector = pair === 'tables' ? postgresConnector : fileConnector
  const connectionOf = (): Connection => {
    const decoded = Connection.decode({ id: 'c1', schedule: { kind: 'manual' }, flows: [{ id: 'main', direction: 'two-way', kind, source: side('a'), destination: side('b') }], ...options.connection })
    if (E.isLeft(decoded)) throw new Error(`no connection between ${dir}`)
    return decoded.right
  }
  const ports = {
    ...rig.ports,
    connection: () => TE.fromIO(connectionOf),
    openSide: (({ id }, flow, name, signal) => {
      const { provider: _, ...where } = name === 'source' ? flow.source : flow.destination
      const opened = connector.open({ options: where, kind: flow.kind, role: name, connection: id, flow: flow.id, secret: () => url, signal })
      return TE.map((one: Side) => options.between?.(name, one) ?? one)(opened)
    }) satisfies EngineRig['ports']['openSide'],
  }
  const sync: RealRig['sync'] = async (item = {}) => (await rig.play(item, { ports })).result
  const marks = async (): Promise<string> => JSON.stringify([await a.marks(), await b.marks()])
  return {
    a, b, options, sync, stop, archived: rig.archived, parked: rig.parked, resolver: rig.resolver,
    writesNothing: async () => {
      const before = await marks()
      await sync()
      return (await marks()) === before
    },
  }
}

/** Something happens at the destination right before the first write to it. */
export const beforeFirstWrite = (act: () => Promise<void>): Between => {
  let happened = false
  const first = async (): Promise<void> => {
    if (!happened) await act()
    happened = true
  }
  return (name, side) => (name === 'source' ? side : {
    ...side,
    write: (writes, signal) => async () => {
      await first()
      return side.write(writes, signal)()
    },
    ...committing(side, (commit, inner) => async () => {
      if (commit.writes.length > 0) await first()
      return inner(commit)()
    }),
  })
}

type Commit = (commit: TransactionalCommit) => TE.TaskEither<SyncFailure, ReadonlyArray<Wrote>>
/** The side's ledger, where it keeps one, with something around its commits. */
const committing = ({ ledger }: Side, around: (commit: TransactionalCommit, inner: Commit) => ReturnType<Commit>): Pick<Side, 'ledger'> =>
  (ledger === undefined ? {} : { ledger: { ...ledger, commit: (commit, signal) => around(commit, (inner) => ledger.commit(inner, signal)) } })

/** Writes of these items to the destination fail for now; the others arrive. */
export const failing = (keys: (key: string) => boolean): Between => (name, side) => {
  if (name === 'source') return side
  const arriving = (writes: ReadonlyArray<Write>) => writes.filter(({ key }) => !keys(key))
  const all = (writes: ReadonlyArray<Write>, wrote: ReadonlyArray<Wrote>): ReadonlyArray<Wrote> => {
    const answers = [...wrote]
    return writes.map(({ key }) => (keys(key) ? { is: 'failed', failure: { is: 'unavailable', message: 'timed out' } } : (answers.shift() ?? { is: 'stale' })))
  }
  return {
    ...side,
    write: (writes, signal) => async () => {
      const wrote = arriving(writes).length === 0 ? E.right([]) : await side.write(arriving(writes), signal)()
      return E.isLeft(wrote) ? wrote : E.right(all(writes, wrote.right))
    },
    ...committing(side, (commit, inner) => async () => {
      const wrote = await inner({ ...commit, writes: arriving(commit.writes), settle: (answers) => commit.settle(all(commit.writes, answers)) })()
      return E.isLeft(wrote) ? wrote : E.right(all(commit.writes, wrote.right))
    }),
  }
}

type Ground = { readonly dir: string; readonly url?: string; readonly places: readonly [Place, Place]; readonly kind: string; readonly side: (name: 'a' | 'b') => Record<string, unknown>; readonly stop: () => Promise<void> }

const folders = async (): Promise<Ground> => {
  const { path, remove } = await temporaryFolder()
  for (const name of ['a', 'b']) await mkdir(join(path, name))
  return { dir: path, places: [folderOf(join(path, 'a')), folderOf(join(path, 'b'))], kind: 'contact', side: (name) => ({ provider: 'file', path: join(path, name) }), stop: remove }
}

const card = (key: string, { name, mail }: Entry): string =>
  ['BEGIN:VCARD', 'VERSION:4.0', `UID:${key}`, `FN:${name}`, ...(mail === undefined ? [] : [`EMAIL:${mail}`]), 'END:VCARD', ''].join('\r\n')

const folderOf = (dir: string): Place => {
  const cards = async () => {
    const names = (await readdir(dir)).filter((name) => name.endsWith('.vcf'))
    return Promise.all(names.map(async (name) => {
      const text = (await readFile(join(dir, name), 'utf8')).replaceAll('\r\n ', '')
      const line = (property: string) => new RegExp(`^${property}:(.*)\r$`, 'm').exec(text)?.[1]
      return { name, key: line('UID') ?? '', entry: { name: line('FN') ?? '', ...(line('EMAIL') === undefined ? {} : { mail: line('EMAIL') ?? '' }) } }
    }))
  }
  const fileOf = async (key: string): Promise<string | undefined> => (await cards()).find((one) => one.key === key)?.name
  return {
    put: async (key, entry) => writeFile(join(dir, (await fileOf(key)) ?? `${encodeURIComponent(key).slice(0, 100)}.vcf`), card(key, entry)),
    remove: async (key) => rm(join(dir, (await fileOf(key)) ?? key)),
    shown: async () => Object.fromEntries((await cards()).map(({ key, entry }) => [key, entry])),
    marks: async () => Object.fromEntries(await Promise.all((await cards()).map(async ({ name }) => {
      const { ino, mtimeMs } = await stat(join(dir, name))
      return [name, `${ino} ${mtimeMs}`] as const
    }))),
    move: async (key) => rename(join(dir, (await fileOf(key)) ?? key), join(dir, `moved-${key}.vcf`)),
    twin: async (key, entry) => writeFile(join(dir, `twin-of-${key}.vcf`), card(key, entry)),
  }
}

const tables = async (): Promise<Ground> => {
  const url = await freshDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const name of ['a', 'b']) await client.query(`create table ${name} (id text primary key, name text not null ${name === 'b' ? `check (name <> 'unwanted')` : ''}, mail text)`)
  return { dir: url, url, places: [tableOf(client, 'a'), tableOf(client, 'b')], kind: 'row', side: (name) => ({ provider: 'postgres', url: { env: 'PG' }, table: name }), stop: () => client.end() }
}

const tableOf = (client: pg.Client, table: string): Place => ({
  put: async (key, { name, mail }) => void (await client.query(`insert into ${table} values ($1, $2, $3) on conflict (id) do update set name = excluded.name, mail = excluded.mail`, [key, name, mail ?? null])),
  remove: async (key) => void (await client.query(`delete from ${table} where id = $1`, [key])),
  shown: async () => {
    const { rows } = await client.query<{ id: string; name: string; mail: string | null }>(`select * from ${table} order by id`)
    return Object.fromEntries(rows.map(({ id, name, mail }) => [id, { name, ...(mail === null ? {} : { mail }) }]))
  },
  marks: async () => {
    const { rows } = await client.query<{ id: string; mark: string }>(`select id, xmin::text as mark from ${table} order by id`)
    return Object.fromEntries(rows.map(({ id, mark }) => [id, mark]))
  },
})
