/**
 * Knows how a version that no message can hold is kept in the archive: its fields as gzipped JSON in several messages, then
 * the version that names them. A version is whole, or it is not believed.
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { ArchivedPart, type ArchivedVersion } from '../contracts/archive.ts'
import { decode } from '../contracts/decode.ts'
import { streams } from '../contracts/subjects.ts'
import { E, type TE } from '../fp.ts'
import type { Bus } from './connect.ts'
import type { NatsFailure } from './failure.ts'
import { readMessage } from './stored-message.ts'

/** In JSON and base64 this stays below every payload limit that a server for Syncline may sensibly have. */
const mostPartBytes = 512 * 1024
const envelopeBytes = 4 * 1024

/** `store` keeps part `n` (from 1, base64) and answers its sequence. Answers the version that names them. */
export const splitVersion = async <F>(version: ArchivedVersion, maxPayload: number, store: (n: number, data: string) => Promise<E.Either<F, number>>): Promise<E.Either<F, ArchivedVersion>> => {
  const json = JSON.stringify(version.fields)
  const packed = await promisify(gzip)(json)
  const size = Math.max(1, Math.min(mostPartBytes, Math.floor((maxPayload - envelopeBytes) * 0.7)))
  const seqs: Array<number> = []
  for (let at = 0; at < packed.length; at += size) {
    const stored = await store(seqs.length + 1, packed.subarray(at, at + size).toString('base64'))
    if (E.isLeft(stored)) return stored
    seqs.push(stored.right)
  }
  return E.right({ ...version, fields: {}, parts: { seqs, digest: hash('sha256', json, 'hex') } })
}

export type LostPart = { readonly is: 'lost-part'; readonly message: string }

/** The version with its fields; one that is not in parts, as it is. */
export const wholeVersion = (bus: Bus) => (version: ArchivedVersion): TE.TaskEither<NatsFailure | LostPart, ArchivedVersion> => async () => {
  const { parts, ...rest } = version
  if (parts === undefined) return E.right(version)
  const pieces: Array<Buffer> = []
  for (const [i, seq] of parts.seqs.entries()) {
    const found = await readMessage(bus, streams.archive, { seq })
    if (E.isLeft(found)) return found
    const part = found.right === undefined ? undefined : decode(ArchivedPart, found.right.body)
    if (part === undefined || E.isLeft(part) || part.right.conn !== version.conn || part.right.n !== i + 1) {
      return E.left({ is: 'lost-part', message: `part ${i + 1} of ${parts.seqs.length} of this version (${streams.archive} ${seq}) is not there any more` })
    }
    pieces.push(Buffer.from(part.right.data, 'base64'))
  }
  const json = await promisify(gunzip)(Buffer.concat(pieces)).then((bytes) => bytes.toString('utf8'), () => '')
  if (hash('sha256', json, 'hex') !== parts.digest) return E.left({ is: 'lost-part', message: 'the parts of this version do not fit together' })
  return E.right({ ...rest, fields: JSON.parse(json) as ArchivedVersion['fields'] })
}
