/** Knows the options of a side `postgres`, and what is wrong with them. Pure: opens nothing. */
import { E } from '../../fp.ts'
import type { RecordKind } from '../../domain/record.ts'
import type { OptionMistake } from '../connector.ts'
import { addressOf } from './address.ts'

export type PostgresOptions = {
  readonly url: { readonly env: string } | { readonly text: string }
  readonly table: { readonly schema: string | null; readonly name: string }
  /** Columns that identify a row; null = the table's primary key. */
  readonly key: ReadonlyArray<string> | null
  /** Column that grows with every change: makes deltas possible. */
  readonly cursor: string | null
  /** How far behind the newest value a late row may still come: `5 s` for times, a number for numbers; null = default. */
  readonly cursorLag: string | null
  /** Column that marks a row as deleted: true, or not null. */
  readonly softDelete: string | null
  /** Every read looks at all keys, so that rows deleted for good are noticed in spite of a cursor. */
  readonly sweep: boolean
  /** Column → type: the table is made of them when it is missing. */
  readonly columns: ReadonlyArray<readonly [name: string, type: string]> | null
}

const known = ['url', 'table', 'key', 'cursor', 'cursorLag', 'softDelete', 'sweep', 'columns', 'provider']
const tableText = /^(?:("(?:[^"]|"")+"|[^".\s]+)\.)?("(?:[^"]|"")+"|[^".\s]+)$/
const lagText = /^\d+(\.\d+)?( ?(ms|s|min|h|d))?$/
/** `numeric(12,2)`, `character varying(20)`, `text[]`, `timestamp(3) with time zone`: words, sizes, brackets. */
const typeText = /^[a-z_][a-z0-9_]*( [a-z]+)*(\(\d+(, ?\d+)?\))?( [a-z]+)*(\[\])?$/i

export const decodeOptions = (options: { readonly [option: string]: unknown }, kind: RecordKind): E.Either<ReadonlyArray<OptionMistake>, PostgresOptions> => {
  const mistakes: Array<OptionMistake> = []
  const wrong = (option: string, message: string, mend: string) => mistakes.push({ path: [option], message, mend })
  const { sweep, columns } = options
  const optional = (option: 'cursor' | 'softDelete'): string | null => {
    const value = options[option]
    if (value === undefined || isText(value)) return value ?? null
    wrong(option, 'is not a column name', `write \`${option}: ${option === 'cursor' ? 'updated_at' : 'deleted_at'}\`, or leave it out`)
    return null
  }

  if (kind !== 'row') wrong('provider', `postgres holds records of the kind row, not ${kind}`, 'set the flow\'s `kind: row`')
  for (const option of Object.keys(options)) if (!known.includes(option)) wrong(option, 'is not an option of the provider postgres', `the options are ${known.slice(0, -1).join(', ')}`)
  const url = urlOf(options['url'], wrong)
  const table = typeof options['table'] === 'string' ? tableText.exec(options['table']) : null
  if (table === null) wrong('table', options['table'] === undefined ? 'is missing' : 'is not a table name', 'write `table: meters`, `table: public.meters`, or quote what is odd: `"my schema"."my table"`')
  const key = keysOf(options['key'])
  if (key === undefined) wrong('key', 'is neither a column name nor a list of them', 'write `key: id`, `key: [meter, at]`, or leave it out to take the primary key')
  const cursor = optional('cursor')
  const softDelete = optional('softDelete')
  const lag = options['cursorLag']
  const cursorLag = lag === undefined ? null : typeof lag === 'number' || typeof lag === 'string' ? String(lag) : '?'
  if (cursorLag !== null && !lagText.test(cursorLag)) wrong('cursorLag', `"${cursorLag}" is no distance`, 'write `cursorLag: 5 s` (ms, s, min, h, d) for a column of times, or a number for a column of numbers')
  if (cursorLag !== null && cursor === null) wrong('cursorLag', 'means nothing without `cursor`', 'name the cursor column, or leave it out')
  if (sweep !== undefined && typeof sweep !== 'boolean') wrong('sweep', 'is neither true nor false', 'write `sweep: true`, or leave it out')
  const types = columnsOf(columns)
  if (types === undefined) wrong('columns', 'does not give each column a type', 'write `columns: { id: bigint, name: text }`')

  if (mistakes.length > 0 || url === null || table === null || key === undefined || types === undefined) return E.left(mistakes)
  const [, schema, name = ''] = table
  return E.right({ url, table: { schema: schema === undefined ? null : bare(schema), name: bare(name) }, key, cursor, cursorLag, softDelete, sweep: sweep === true, columns: types })
}

const urlOf = (url: unknown, wrong: (option: string, message: string, mend: string) => void): PostgresOptions['url'] | null => {
  const reference = '`url: { env: DATABASE_URL }`'
  if (typeof url === 'object' && url !== null && 'env' in url && isText(url.env)) return { env: url.env }
  if (!isText(url)) {
    wrong('url', url === undefined ? 'is missing' : 'is neither a URL nor a reference to one', `write ${reference}`)
    return null
  }
  const address = addressOf(url)
  if (E.isLeft(address)) wrong('url', address.left, `correct it, or keep it in the environment: ${reference}`)
  else if (address.right.password !== undefined) wrong('url', 'holds a password', `keep it in the environment: ${reference}`)
  return { text: url }
}

const keysOf = (key: unknown): ReadonlyArray<string> | null | undefined => {
  if (key === undefined) return null
  const keys: ReadonlyArray<unknown> = Array.isArray(key) ? key : [key]
  const names = keys.filter(isText)
  return names.length === keys.length && names.length > 0 && new Set(names).size === names.length ? names : undefined
}

const columnsOf = (columns: unknown): PostgresOptions['columns'] | undefined => {
  if (columns === undefined) return null
  if (typeof columns !== 'object' || columns === null) return undefined
  const types: Array<readonly [string, string]> = []
  for (const [name, type] of Object.entries(columns)) if (typeof type === 'string' && typeText.test(type)) types.push([name, type])
  return types.length > 0 && types.length === Object.keys(columns).length ? types : undefined
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const bare = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name)
