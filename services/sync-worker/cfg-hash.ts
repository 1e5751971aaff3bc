/** Knows which parts of a flow shape what it reads and writes: when they change, the stored cursors mean nothing. */
import { hash } from 'node:crypto'
import { canonicalJson, type Json } from '#libs/domain/json.ts'
import type { Flow } from '#libs/domain/connection.ts'

/** Every run asks several times, and a flow does not change: an applied change comes as another document. */
const known = new WeakMap<Flow, string>()

export const cfgHashOf = (flow: Flow): string => {
  const before = known.get(flow)
  if (before !== undefined) return before
  const shape = { direction: flow.direction, kind: flow.kind, source: flow.source, destination: flow.destination, fields: flow.fields ?? null }
  const fresh = hash('sha256', canonicalJson(JSON.parse(JSON.stringify(shape)) as Json), 'hex').slice(0, 16)
  known.set(flow, fresh)
  return fresh
}
