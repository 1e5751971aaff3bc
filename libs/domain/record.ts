/**
 * Knows what one item of a side looks like once it is in canonical form, and its digest.
 * Does not know any vendor format: codecs in libs/formats and the connectors make and read `Fields`.
 */
import { hash } from 'node:crypto'
import * as t from 'io-ts'
import { canonicalJson, isList, type Json } from './json.ts'

export const RecordKind = t.keyof({ contact: null, event: null, activity: null, 'glucose-reading': null, row: null })
export type RecordKind = t.TypeOf<typeof RecordKind>

/** Field name → canonical value. A list is a set (order carries no meaning, sorted); anything else is a scalar. */
export type Fields = { readonly [name: string]: Json }

export type Item = {
  /** The side's own handle: file name, href, primary key as text. */
  readonly remoteId: string
  /** Identity used for matching the two sides: UID or natural key. */
  readonly key: string
  /** Opaque version (etag, mtime+size, xmin…); null = the side gives none, so content must be compared. */
  readonly version: string | null
  readonly fields: Fields
  /** Time of the last edit as the side tells it, RFC 3339; only from providers whose clock may be trusted. */
  readonly modifiedAt?: string
}

/** First 128 bits of SHA-256, base64url. */
export const digestLength = 22

/** `digestLength` characters, over the canonical JSON of the fields. */
export const hashOf = (fields: Fields): string => hashOfCanonical(canonicalJson(fields))

/** The same, of the canonical JSON that somebody has made already. */
export const hashOfCanonical = (canonical: string): string => digest(canonical, digestLength)

/**
 * Per-field digests of a base version: enough for a three-way merge without keeping personal data
 * (SYNC.md §A.1.1 `fh`). A set is the list of its elements' digests, a scalar one digest.
 */
export type FieldHashes = { readonly [name: string]: string | ReadonlyArray<string> }

export const fieldHashesOf = (fields: Fields): FieldHashes => {
  const hashes: Record<string, string | ReadonlyArray<string>> = {}
  for (const [name, value] of Object.entries(fields)) {
    hashes[name] = isList(value) ? value.map(valueHash).sort() : valueHash(value)
  }
  return hashes
}

/** 66 bits of SHA-256, base64url: 11 characters; compared only inside one field of one item. */
export const valueHash = (value: Json): string => digest(canonicalJson(value), 11)

/** Ledger key of an item: 128 bits of SHA-256 over connection, flow and identity key (SYNC.md §A.1.1). */
export const linkKey = (connection: string, flow: string, key: string): string =>
  digest(`${connection}|${flow}|${key.normalize('NFC')}`, digestLength)

/**
 * Key of an item inside a ledger of its own flow, which has room for plain texts and an order: the identity itself where it
 * is short, so that neighbours in a table are neighbours in its ledger; else a digest of it, marked by `#`.
 */
export const ledgerKey = (key: string): string => {
  if (plainKey.test(key)) return key
  const identity = key.normalize('NFC')
  return identity.length > longestKey || odd.test(identity) ? `#${digest(identity, digestLength)}` : identity
}

const longestKey = 64
const plainKey = /^[!"$-~][ -~]{0,63}$/
/** What begins with our mark, is empty, or is no text for everybody: control characters, and all beyond 16 bits. */
const odd = /^#|^$|\p{Cc}|\p{Cs}|[\u{10000}-\u{10ffff}]/u

const digest = (text: string, characters: number): string =>
  hash('sha256', text, 'base64url').slice(0, characters)
