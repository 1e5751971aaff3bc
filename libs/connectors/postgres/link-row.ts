/** Knows how a link stands in the sidecar table. Pure. */
import { E } from '../../fp.ts'
import { Link } from '../../domain/link.ts'
import type { Row } from './copy-text.ts'

/** Name in the link → column. What has no column of its own, and a null, is kept as JSON in `more`. */
const texts = [['key', 'key'], ['st', 'st'], ['idA', 'id_a'], ['idB', 'id_b'], ['verA', 'ver_a'], ['verB', 'ver_b'], ['hA', 'h_a'], ['hB', 'h_b']] as const
const numbers = [['genA', 'gen_a'], ['genB', 'gen_b'], ['wroteA', 'wrote_a'], ['wroteB', 'wrote_b']] as const
const own = new Set<string>([...texts, ...numbers].map(([name]) => name))

export const linkColumns: ReadonlyArray<string> = ['link_key', ...[...texts, ...numbers].map(([, column]) => column), 'more']

/** In this order a batch brings plain links: what is each one's own, then what they share. */
export const plainLinkColumns: ReadonlyArray<string> = ['link_key', 'ver_a', 'h_a', 'ver_b', 'ledger', 'gen_a', 'wrote_b']

/**
 * Most links by far are plain: linked, with the identity as its key in the ledger and as its id on both sides, and the same content there: the column
 * `key` is NULL then, and so is all that follows from it.
 */
const isPlain = (linkKey: string, { key, st, idA, idB, hA, hB }: Link): boolean => key === linkKey && st === 'linked' && idA === key && idB === key && hA === hB && hA !== undefined

/** In the order of `linkColumns`. */
export const rowOfLink = (linkKey: string, whole: Link): ReadonlyArray<string | null> => {
  const plain = isPlain(linkKey, whole)
  const link: Partial<Link> = plain ? withoutTold(whole) : whole
  const row: Array<string | null> = [linkKey]
  for (const [name] of texts) {
    const text = link[name] ?? null
    row.push(text === null || isStorable(text) ? text : '')
  }
  for (const [name] of numbers) row.push(link[name] === undefined ? null : String(link[name]))
  row.push(moreOf(link))
  if (plain) row[2] = 'linked'
  return row
}

const withoutTold = ({ key: _key, st: _st, idA: _a, idB: _b, hB: _h, ...told }: Link): Partial<Link> => told

/** PostgreSQL has no text with a zero in it, nor with half a character; as JSON both can be told. */
const isStorable = (text: string): boolean => !suspicious.test(text) || (!text.includes('\0') && text.isWellFormed())
const suspicious = /[\0\ud800-\udfff]/

const moreOf = (link: Partial<Link>): string | null => {
  let more: Record<string, unknown> | null = null
  for (const name in link) {
    const value = link[name as keyof Link]
    if (value !== undefined && (value === null || !own.has(name) || (typeof value === 'string' && !isStorable(value)))) (more ??= {})[name] = value
  }
  return more === null ? null : JSON.stringify(more)
}

/** Left: somebody else wrote into the table. */
export const linkOfRow = (row: Row): E.Either<string, readonly [linkKey: string, link: Link]> => {
  const [linkKey = null, ...cells] = row
  const link: Record<string, unknown> = {}
  for (const [n, [name]] of texts.entries()) if (cells[n] !== null && cells[n] !== undefined) link[name] = cells[n]
  for (const [n, [name]] of numbers.entries()) {
    const cell = cells[texts.length + n] ?? null
    if (cell !== null) link[name] = Number(cell)
  }
  if (linkKey !== null && link['key'] === undefined && link['hA'] !== undefined) Object.assign(link, { key: linkKey, idA: linkKey, idB: linkKey, hB: link['hA'] })
  const more = cells[texts.length + numbers.length] ?? null
  if (more !== null) Object.assign(link, JSON.parse(more))
  const decoded = Link.decode(link)
  return linkKey === null || E.isLeft(decoded) ? E.left(`the link ${String(linkKey)} in syncline.link is damaged`) : E.right([linkKey, decoded.right])
}
