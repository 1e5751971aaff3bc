/** What a redrive asks for, as a person may edit it (`syncline dlq edit`): a part of a request, and no more (SYNC.md §S14). */
import * as t from 'io-ts'
import { E } from '../fp.ts'
import { reportOf } from './decode.ts'
import { RunMode } from './work-item.ts'

export const RedriveWish = t.partial({
  mode: RunMode,
  dryRun: t.boolean,
  /** ms since the epoch, or an RFC 3339 time. */
  notBefore: t.union([t.number, t.string]),
  reason: t.string,
})
export type RedriveWish = t.TypeOf<typeof RedriveWish>

/** Left: what is wrong, one line each. Unlike a message exact: a field that nobody understands would be lost without a word. */
export const readRedriveWish = (value: unknown): E.Either<ReadonlyArray<string>, RedriveWish> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return E.left([`expected an object such as {"mode": "full"}, found ${JSON.stringify(value) ?? 'nothing'}`])
  const strangers = Object.keys(value).filter((name) => !Object.hasOwn(RedriveWish.props, name))
  if (strangers.length > 0) return E.left(strangers.map((name) => `${name}: cannot be asked for; these can: ${Object.keys(RedriveWish.props).join(', ')}`))
  const wish = RedriveWish.decode(value)
  if (E.isLeft(wish)) return E.left(reportOf(wish.left))
  const { notBefore } = wish.right
  return typeof notBefore === 'string' && !isTime(notBefore) ? E.left([`notBefore: expected ms since the epoch or an RFC 3339 time, found "${notBefore}"`]) : wish
}

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
