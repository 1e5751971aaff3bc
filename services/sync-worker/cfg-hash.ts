/** Knows which parts of a flow shape what it reads and writes: when they change, the stored cursors mean nothing. */
import { hash } from 'node:crypto'
import { canonicalJson, type Json } from '#libs/domain/json.ts'
import type { Flow } from '#libs/domain/connection.ts'

export const cfgHashOf = (flow: Flow): string => {
  const shape = { direction: flow.direction, kind: flow.kind, source: flow.source, destination: flow.destination, fields: flow.fields ?? null }
  return hash('sha256', canonicalJson(JSON.parse(JSON.stringify(shape)) as Json), 'hex').slice(0, 16)
}
