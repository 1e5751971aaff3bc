/**
 * The rig's own door to a sandbox provider that runs in another process: POST /control/<what>, JSON in and out.
 * faults: Fault[]; fault: Fault; limit: {calls, windowMs} or null; settings?collection=: part of Settings; expire?collection=;
 * all?collection=: every item; remotes?from=: the record from there on.
 */
import type { Remote } from '../history.ts'
import type { Answer } from './answer.ts'
import type { Collection, Settings } from './collection.ts'
import type { Fault, faultsOf } from './fault.ts'
import type { Limit } from './limit.ts'

export type Controlled = {
  readonly collection: (name: string) => Collection
  readonly faults: ReturnType<typeof faultsOf>
  readonly limit: (limit: Limit | undefined) => void
  readonly remotes: ReadonlyArray<Remote>
}

export const control = ({ collection, faults, limit, remotes }: Controlled, url: URL, body: string): Answer => {
  const said: unknown = body === '' ? null : JSON.parse(body)
  const one = collection(url.searchParams.get('collection') ?? '')
  switch (url.pathname.slice('/control/'.length)) {
    case 'faults':
      faults.set(said as ReadonlyArray<Fault>)
      return { status: 204 }
    case 'fault':
      faults.add(said as Fault)
      return { status: 204 }
    case 'limit':
      limit((said as Limit | null) ?? undefined)
      return { status: 204 }
    case 'settings':
      one.settings = { ...one.settings, ...(said as Partial<Settings>) }
      return { status: 204 }
    case 'expire':
      one.expire()
      return { status: 204 }
    case 'all':
      return { status: 200, body: one.all() }
    case 'remotes':
      return { status: 200, body: remotes.slice(Number(url.searchParams.get('from') ?? 0)) }
    default:
      return { status: 404 }
  }
}
