/** Knows the connection documents as the command line reads and changes them. Does not know YAML. */
import { nearest } from '#libs/config/did-you-mean.ts'
import { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import { encode } from '#libs/contracts/decode.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { Connection } from '#libs/domain/connection.ts'
import { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { exitCodes } from './exit-codes.ts'
import { refusal, refusalOf, type Refusal } from './refusal.ts'
import { readAll, readAllAs, readOne, type Kept } from './stored.ts'

export type Found = { readonly id: ConnectionId; readonly document: ConnectionDocument; readonly revision: number }

/** Left: no such connection (with the nearest one there is), or it cannot be read. */
export const findDocument = async (bus: Bus, conn: string): Promise<E.Either<Refusal, Found>> => {
  if (!ConnectionId.is(conn)) return E.left(await unknown(bus, conn))
  const read = await readOne(bus, buckets.connections, ConnectionDocument, conn)
  if (E.isLeft(read)) return read
  return read.right.value === undefined ? E.left(await unknown(bus, conn)) : E.right({ id: conn, document: read.right.value, revision: read.right.revision })
}

export const unknown = async (bus: Bus, conn: string): Promise<Refusal> => {
  const entries = await readAll(bus, buckets.connections)
  const ids = E.isRight(entries) ? entries.right.filter(({ value }) => value !== null).map(({ key }) => key) : []
  const guess = nearest(conn, ids)
  const mend = guess !== undefined ? `did you mean ${guess}?` : ids.length === 0 ? 'there are none yet: `syncline apply -f <file>` makes some' : '`syncline get` lists them'
  return refusal(exitCodes.notFound, `there is no connection ${conn}`, mend)
}

export const allDocuments = (bus: Bus): ReturnType<typeof readAllAs<ConnectionDocument>> => readAllAs(bus, buckets.connections, ConnectionDocument)

/** By id; those that are there. */
export const live = (values: ReadonlyMap<string, Kept<ConnectionDocument>>): ReadonlyArray<ConnectionDocument> =>
  [...values.values()].flatMap(({ value }) => value ?? []).sort((a, b) => (a.connection.id < b.connection.id ? -1 : 1))

export const writeDocument = async (bus: Bus, document: ConnectionDocument, revision: number): Promise<E.Either<Refusal, number>> => {
  const { id } = document.connection
  return E.mapLeft(refusalOf(`connection ${id} cannot be written`))(await openBucket(bus)(buckets.connections).update(id, encode(ConnectionDocument, document), revision)())
}

const mostTries = 5

/** Reads, changes, writes if nobody wrote in between, else all over again. `change` answers undefined when there is nothing to change. */
export const changeDocument = async (bus: Bus, conn: string, change: (connection: Connection) => Connection | undefined): Promise<E.Either<Refusal, 'changed' | 'as it was'>> => {
  for (let attempt = 1; ; attempt++) {
    const found = await findDocument(bus, conn)
    if (E.isLeft(found)) return found
    const { document, revision } = found.right
    const changed = change(document.connection)
    if (changed === undefined) return E.right('as it was')
    const written = await writeDocument(bus, { ...document, connection: changed }, revision)
    if (E.isRight(written)) return E.right('changed')
    if (written.left.code !== exitCodes.busy || attempt >= mostTries) return written
  }
}
