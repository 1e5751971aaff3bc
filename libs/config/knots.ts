/**
 * Knows what connections may not do to each other: lead changes round in a loop, or write into one place from two sides
 * (SYNC.md §B.5). Does not know files or lines.
 */
import type { Connection } from '../domain/connection.ts'
import { collectionName, collectionOf } from './collection.ts'

/** One flow as an arrow between two collections; a two-way flow is an arrow that also leads back. */
export type Arrow = { readonly conn: string; readonly flow: string; readonly index: number; readonly from: string; readonly to: string; readonly isBackward: boolean }

export type Knot = {
  readonly is: 'loop' | 'two-writers'
  /** The arrows of the loop in their order, or all that write into the one place. */
  readonly arrows: ReadonlyArray<Arrow>
  /** One sentence. */
  readonly text: string
}

export const knotsIn = (connections: ReadonlyArray<Connection>): ReadonlyArray<Knot> => {
  const named = new Map<string, string>()
  const arrows = connections.flatMap((connection) => connection.flows.flatMap((flow, index): ReadonlyArray<Arrow> => {
    const [from, to] = [collectionOf(flow.source), collectionOf(flow.destination)]
    named.set(from, collectionName(flow.source)).set(to, collectionName(flow.destination))
    if (from === to) return [] // told by itself
    const arrow = { conn: connection.id, flow: flow.id, index, from, to, isBackward: false }
    return flow.direction === 'one-way' ? [arrow] : [arrow, { ...arrow, from: to, to: from, isBackward: true }]
  }))
  const nameOf = (collection: string): string => named.get(collection) ?? collection
  const loops = loopsIn(arrows)
  return [...loops.map((loop) => loopKnot(loop, nameOf)), ...writerKnots(arrows, loops, nameOf)]
}

const isSameFlow = (a: Arrow, b: Arrow): boolean => a.conn === b.conn && a.flow === b.flow

const loopKnot = (arrows: ReadonlyArray<Arrow>, nameOf: (collection: string) => string): Knot => {
  const steps = arrows.map((arrow) => ` → ${nameOf(arrow.to)} (${flowName(arrow)})`)
  return { is: 'loop', arrows, text: `changes would go round for ever: ${nameOf(arrows[0]?.from ?? '')}${steps.join('')}` }
}

const writerKnots = (arrows: ReadonlyArray<Arrow>, loops: ReadonlyArray<ReadonlyArray<Arrow>>, nameOf: (collection: string) => string): ReadonlyArray<Knot> => {
  const writers = new Map<string, Array<Arrow>>()
  for (const arrow of arrows) {
    const known = writers.get(arrow.to)
    if (known === undefined) writers.set(arrow.to, [arrow])
    else if (!known.some((other) => isSameFlow(other, arrow))) known.push(arrow)
  }
  const isTold = (some: ReadonlyArray<Arrow>): boolean => loops.some((loop) => some.every((arrow) => loop.some((other) => isSameFlow(arrow, other))))
  return [...writers].filter(([, some]) => some.length > 1 && !isTold(some)).map(([collection, some]) => ({
    is: 'two-writers', arrows: some, text: `${nameOf(collection)} would be written by ${some.map(flowName).join(' and ')}`,
  }))
}

const flowName = ({ conn, flow }: Arrow): string => (flow === 'main' ? conn : `${conn}/${flow}`)

/**
 * Depth first, without recursion: a chain may be as long as there are connections. An arrow to a collection on the way
 * closes a loop; going back by the very flow one came by is a two-way flow, not a loop.
 */
const loopsIn = (arrows: ReadonlyArray<Arrow>): ReadonlyArray<ReadonlyArray<Arrow>> => {
  const leaving = new Map<string, Array<Arrow>>()
  for (const arrow of arrows) {
    const known = leaving.get(arrow.from)
    if (known === undefined) leaving.set(arrow.from, [arrow])
    else known.push(arrow)
  }
  const loops: Array<ReadonlyArray<Arrow>> = []
  const done = new Set<string>()
  for (const start of leaving.keys()) {
    if (done.has(start)) continue
    const way: Array<Arrow> = []
    const onWay = new Map<string, number>([[start, 0]])
    const stack = [{ at: start, next: 0 }]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const arrow = leaving.get(top.at)?.[top.next++]
      if (arrow === undefined) {
        done.add(top.at)
        onWay.delete(top.at)
        stack.pop()
        way.pop()
        continue
      }
      const last = way.at(-1)
      const begin = onWay.get(arrow.to)
      if (done.has(arrow.to) || (last !== undefined && isSameFlow(last, arrow))) continue
      if (begin !== undefined) loops.push([...way.slice(begin), arrow])
      else {
        way.push(arrow)
        onWay.set(arrow.to, way.length)
        stack.push({ at: arrow.to, next: 0 })
      }
    }
  }
  return distinct(loops)
}

/** Two-way flows show the same loop in both directions. */
const distinct = (loops: ReadonlyArray<ReadonlyArray<Arrow>>): ReadonlyArray<ReadonlyArray<Arrow>> => {
  const seen = new Set<string>()
  return loops.filter((loop) => {
    const key = [...new Set(loop.map(({ conn, flow }) => `${conn}/${flow}`))].sort().join(' ')
    return seen.has(key) ? false : Boolean(seen.add(key))
  })
}
