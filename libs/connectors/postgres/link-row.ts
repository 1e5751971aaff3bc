/** Knows how a link stands in the sidecar table. Pure. */
import { E } from '../../fp.ts'
import { Link } from '../../domain/link.ts'
import type { Row } from './copy-text.ts'

/** Name in the link → column. What has no column of its own, and a null, is kept as JSON in `more`. */
const texts = [['key', 'key'], ['st', 'st'], ['idA', 'id_a'], ['idB', 'id_b'], ['verA', 'ver_a'], ['verB', 'ver_b'], ['hA', 'h_a'], ['hB', 'h_b']] as const
const numbers = [['genA', 'gen_a'], ['genB', 'gen_b'], ['wroteA', 'wrote_a'], ['wroteB', 'wrote_b']] as const
/** Of every link each name is asked for: taking pairs apart there would make as much garbage as the link. */
const textNames = texts.map(([name]) => name)
const numberNames = numbers.map(([name]) => name)
const own = new Set<string>([...textNames, ...numberNames])

export const linkColumns: ReadonlyArray<string> = ['link_key', ...[...texts, ...numbers].map(([, column]) => column), 'more']

/** In this order a batch brings plain links: what is each one's own, then what they share. */
export const plainLinkColumns: ReadonlyArray<string> = ['link_key', 'ver_a', 'h_a', 'ver_b', 'ledger', 'gen_a', 'wrote_b']

/**
 * Most links by far are plain: linked, with the identity as its key in the ledger and as its id on both sides, and the same content there: the column
 * `key` is NULL then, and so is all that follows from it.
 */
const isPlain = (linkKey: string, { key, st, idA, idB, hA, hB }: Link): boolean => key === linkKey && st === 'linked' && idA === key && idB === key && hA === hB && hA !== undefined

/** In the order of `linkColumns`. */
export const rowOfLink = (linkKey: string, link: Link): ReadonlyArray<string | null> => {
  const plain = isPlain(linkKey, link)
  const row: Array<string | null> = [linkKey]
  for (const name of textNames) {
    const text = plain && told.has(name) ? null : (link[name] ?? null)
    row.push(text === null || isStorable(text) ? text : '')
  }
  for (const name of numberNames) {
    const number = link[name]
    row.push(number === undefined ? null : String(number))
  }
  row.push(moreOf(link))
  if (plain) row[2] = 'linked'
  return row
}

/** What a plain link's key and its content at the source tell. */
const told = new Set<string>(['key', 'st', 'idA', 'idB', 'hB'])

/** PostgreSQL has no text with a zero in it, nor with half a character; as JSON both can be told. */
const isStorable = (text: string): boolean => !suspicious.test(text) || (!text.includes('\0') && text.isWellFormed())
const suspicious = /[\0\ud800-\udfff]/

const moreOf = (link: Link): string | null => {
  let more: Record<string, unknown> | null = null
  for (const name in link) {
    const value = link[name as keyof Link]
    if (value !== undefined && (value === null || !own.has(name) || (typeof value === 'string' && !isStorable(value)))) (more ??= {})[name] = value
  }
  return more === null ? null : JSON.stringify(more)
}

/** Left: somebody else wrote into the table. */
export const linkOfRow = (row: Row): E.Either<string, readonly [linkKey: string, link: Link]> => {
  const linkKey = row[0] ?? null
  const link: Record<string, unknown> = {}
  let at = 1
  for (const name of textNames) {
    const cell = row[at++] ?? null
    if (cell !== null) link[name] = cell
  }
  for (const name of numberNames) {
    const cell = row[at++] ?? null
    if (cell !== null) link[name] = Number(cell)
  }
  if (linkKey !== null && link['key'] === undefined && link['hA'] !== undefined) {
    link['key'] = linkKey
    link['idA'] = linkKey
    link['idB'] = linkKey
    link['hB'] = link['hA']
  }
  const more = row[at] ?? null
  if (more !== null) Object.assign(link, JSON.parse(more))
  // Nobody reads why one is damaged: `is` keeps no record of where it stands, and copies nothing.
  return linkKey === null || !Link.is(link) ? E.left(`the link ${String(linkKey)} in syncline.link is damaged`) : E.right([linkKey, link])
}
