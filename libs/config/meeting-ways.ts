/**
 * Knows which flows could bring an item to one place by two ways, or further than it may go (SYNC.md §B.3), from the
 * configuration alone. In a tree of flows that is at most three long none can, and provenance costs nothing. Kept up to date
 * connection by connection; a connection that shares no collection with another is answered at once.
 */
import type { Connection } from '../domain/connection.ts'
import { mostHops } from '../domain/provenance.ts'
import { hashOfCanonical } from '../domain/record.ts'
import { collectionOf } from './collection.ts'

/** A worker knows a million of them. */
const short = (collection: string): string => hashOfCanonical(collection).slice(0, 14)

type Edge = { readonly conn: string; readonly flow: string; readonly a: string; readonly b: string; readonly isTwoWay: boolean }
type Arrow = { readonly edge: Edge; readonly from: string; readonly to: string }

export type MeetingWays = {
  readonly put: (connection: Connection) => void
  readonly remove: (conn: string) => void
  readonly knows: (conn: string, flow: string) => boolean
  /** Whether what this flow carries has to be looked up. */
  readonly mayMeet: (conn: string, flow: string) => boolean
}

export const meetingWays = (): MeetingWays => {
  const edgesOf = new Map<string, ReadonlyArray<Edge>>()
  /** Most places have one flow, which needs no set; some have very many. */
  const touching = new Map<string, Edge | Set<Edge>>()
  let answers = new Map<Edge, boolean>()

  const at = (place: string): Iterable<Edge> => {
    const there = touching.get(place)
    return there === undefined ? [] : there instanceof Set ? there : [there]
  }
  const isAlone = (edge: Edge): boolean => touching.get(edge.a) === edge && touching.get(edge.b) === edge

  const touch = (place: string, edge: Edge): void => {
    const there = touching.get(place)
    if (there instanceof Set) there.add(edge)
    else touching.set(place, there === undefined || there === edge ? edge : new Set([there, edge]))
  }

  const leave = (place: string, edge: Edge): void => {
    const there = touching.get(place)
    if (there === edge) touching.delete(place)
    if (!(there instanceof Set) || !there.delete(edge)) return
    const [last] = there
    if (there.size === 1 && last !== undefined) touching.set(place, last)
  }

  const remove = (conn: string): void => {
    for (const edge of edgesOf.get(conn) ?? []) {
      leave(edge.a, edge)
      leave(edge.b, edge)
    }
    if (edgesOf.delete(conn)) answers = new Map()
  }

  const componentOf = (start: Edge): { readonly edges: ReadonlySet<Edge>; readonly places: ReadonlySet<string> } => {
    const edges = new Set([start])
    const places = new Set<string>()
    const open = [start.a, start.b]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (places.has(place)) continue
      places.add(place)
      for (const edge of at(place)) {
        edges.add(edge)
        open.push(edge.a, edge.b)
      }
    }
    return { edges, places }
  }

  return {
    put: (connection) => {
      remove(connection.id)
      const edges = connection.flows.map(({ id, direction, source, destination }): Edge => ({
        conn: connection.id, flow: id, a: short(collectionOf(source)), b: short(collectionOf(destination)), isTwoWay: direction === 'two-way',
      }))
      edgesOf.set(connection.id, edges)
      for (const edge of edges) {
        touch(edge.a, edge)
        touch(edge.b, edge)
      }
      answers = new Map()
    },
    remove,
    knows: (conn, flow) => edgesOf.get(conn)?.some((edge) => edge.flow === flow) ?? false,
    mayMeet: (conn, flow) => {
      const edge = edgesOf.get(conn)?.find((one) => one.flow === flow)
      if (edge === undefined || isAlone(edge)) return false
      const known = answers.get(edge)
      if (known !== undefined) return known
      const { edges, places } = componentOf(edge)
      // As many ways as places, or more: some two places are joined twice
      const answer = edges.size >= places.size || goesFurther(edges, mostHops)
      for (const one of edges) answers.set(one, answer)
      return answer
    },
  }
}

/** Whether some item could make more than `hops` hops along these edges, which form a tree. */
const goesFurther = (edges: ReadonlySet<Edge>, hops: number): boolean => {
  const arrows = [...edges].flatMap((edge): ReadonlyArray<Arrow> => {
    const there: Arrow = { edge, from: edge.a, to: edge.b }
    return edge.isTwoWay ? [there, { edge, from: edge.b, to: edge.a }] : [there]
  })
  // Those that can be the n-th hop: an arrow follows another one that ends where it begins, unless it only leads back.
  let nth: ReadonlyArray<Arrow> = arrows
  for (let n = 2; n <= hops + 1; n++) {
    const endings = new Map<string, ReadonlyArray<Edge>>()
    for (const { edge, to } of nth) {
      const there = endings.get(to) ?? []
      if (there.length < 2 && !there.includes(edge)) endings.set(to, [...there, edge])
    }
    nth = arrows.filter(({ edge, from }) => endings.get(from)?.some((other) => other !== edge) ?? false)
  }
  return nth.length > 0
}
