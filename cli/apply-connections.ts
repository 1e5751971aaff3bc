/** Knows what applying connections changes, and carries it out. Does not know the file they came from. */
import { knotsIn } from '#libs/config/knots.ts'
import type { ConnectionDocument } from '#libs/contracts/connection-document.ts'
import type { Connection } from '#libs/domain/connection.ts'
import { canonicalJson, type Json } from '#libs/domain/json.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { allDocuments, live, writeDocument } from './documents.ts'
import { exitCodes } from './exit-codes.ts'
import { refusal, type Refusal } from './refusal.ts'

export type Change = {
  readonly connection: Connection
  readonly change: 'created' | 'changed' | 'unchanged'
  /** Paths that differ, for `changed`. */
  readonly fields: ReadonlyArray<string>
  readonly revision: number
}

/** Compares with what is there. Left: a loop or two writers together with connections applied before. */
export const changesFor = async (bus: Bus, connections: ReadonlyArray<Connection>): Promise<E.Either<Refusal, ReadonlyArray<Change>>> => {
  const there = await allDocuments(bus)
  if (E.isLeft(there)) return there
  const { values, unreadable } = there.right
  const bad = connections.find(({ id }) => unreadable.has(id))
  if (bad !== undefined) return E.left(refusal(exitCodes.failed, `the stored connection ${bad.id} is unreadable (${unreadable.get(bad.id) ?? ''})`, `delete it first: syncline delete ${bad.id} --yes`))
  const ours = new Set<string>(connections.map(({ id }) => id))
  const others = live(values).map(({ connection }) => connection).filter(({ id }) => !ours.has(id))
  const knots = knotsIn([...others, ...connections]).filter(({ arrows }) => arrows.some(({ conn }) => ours.has(conn)))
  if (knots.length > 0) {
    const names = [...new Set(knots.flatMap(({ arrows }) => arrows.map(({ conn }) => conn)).filter((conn) => !ours.has(conn)))]
    return E.left(refusal(exitCodes.usage, knots.map(({ text }) => text).join('; '), `applied before: ${names.join(', ')}; take one of these flows out, or delete that connection first`))
  }
  return E.right(connections.map((connection) => {
    const kept = values.get(connection.id)
    return changeOf(connection, kept?.value?.connection, kept?.revision ?? 0)
  }))
}

/** Pausing is done by `syncline pause`: a file that does not speak of it leaves it as it is. Of a hold no file speaks. */
const changeOf = (wanted: Connection, before: Connection | undefined, revision: number): Change => {
  const connection: Connection = {
    ...wanted,
    ...(wanted.paused === undefined && before?.paused !== undefined ? { paused: before.paused } : {}),
    ...(before?.hold === undefined ? {} : { hold: before.hold }),
  }
  if (before === undefined) return { connection, change: 'created', fields: [], revision }
  const fields = differing(asJson(before), asJson(connection), '')
  return { connection, change: fields.length === 0 ? 'unchanged' : 'changed', fields, revision }
}

const asJson = (connection: Connection): Json => JSON.parse(JSON.stringify(connection)) as Json

const differing = (a: Json | undefined, b: Json | undefined, path: string): ReadonlyArray<string> => {
  if (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b)) return []
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return [path]
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))] as const
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((name) =>
    differing(left.get(name), right.get(name), Array.isArray(a) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`))
}

/** In flight at once: beyond this only the latency grows. */
const pipelined = 64

/** Writes what is new or changed; answers those that could not be written. */
export const carryOut = async (bus: Bus, changes: ReadonlyArray<Change>, by: { readonly at: number; readonly who: string | undefined }): Promise<ReadonlyArray<Refusal>> => {
  const todo = changes.filter(({ change }) => change !== 'unchanged')
  const refused: Array<Refusal> = []
  let taken = 0
  const writeNext = async (): Promise<void> => {
    for (let next = todo[taken++]; next !== undefined; next = todo[taken++]) {
      const document: ConnectionDocument = { connection: next.connection, appliedAt: by.at, appliedTogether: todo.length, ...(by.who === undefined ? {} : { appliedBy: by.who }) }
      const written = await writeDocument(bus, document, next.revision)
      if (E.isLeft(written)) refused.push(written.left)
    }
  }
  await Promise.all(Array.from({ length: Math.min(pipelined, todo.length) }, writeNext))
  return refused
}
