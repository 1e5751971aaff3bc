/** Knows what a new item's file is called. Pure. */
import { hash } from 'node:crypto'

/** The UID itself where every file system takes it as it is, otherwise a digest of it. */
export const itemName = (uid: string, extension: string): string =>
  plain.test(uid) ? `${uid}${extension}` : digestName(uid, extension, 0)

/** Names to try in turn when one is taken by another item: a twin that differs in case, or a file whose UID was edited. */
export const itemNames = (uid: string, extension: string): ReadonlyArray<string> =>
  [itemName(uid, extension), ...[1, 2, 3].map((n) => digestName(uid, extension, n))]

/** Begins with a letter or digit: no dotfile, no option; short enough for every file system. */
const plain = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,119}$/

const digestName = (uid: string, extension: string, n: number): string =>
  `${hash('sha256', n === 0 ? uid : `${uid} ${n}`, 'hex').slice(0, 40)}${extension}`
