/** Knows how a request of the engine is written down (history.ts, `Remote` by the provider). */
import type { IncomingMessage } from 'node:http'
import type { Fields } from '#libs/domain/record.ts'
import type { Remote } from '../history.ts'
import type { Answer, Request } from './answer.ts'
import type { Changed, Stored } from './collection.ts'
import type { Fault, Verb } from './fault.ts'

type Ask = {
  readonly at: number
  readonly message: IncomingMessage
  readonly verb: Verb
  readonly request: Request
  readonly valueFields: ReadonlyArray<string>
  readonly answer: Answer
  readonly applied: boolean
  readonly fault?: Fault
  readonly isLost?: boolean
}

export const remoteOf = ({ at, message, verb, request, valueFields, answer, applied, fault, isLost }: Ask): Remote => {
  const valueOf = (item: { readonly fields: Fields } | undefined): string | null => {
    const value = valueFields.map((name) => item?.fields[name]).find((one) => typeof one === 'string')
    return typeof value === 'string' ? value : null
  }
  const headers = message.headers
  const sent = sentIn(request.body)
  const { stored, before } = endsOf(answer.changed)
  const key = stored?.key ?? sent?.key ?? before?.key
  const isWrite = request.method === 'PUT' || request.method === 'DELETE'
  const fence = Number(headers['x-chaos-fence'] ?? NaN)
  return {
    is: 'remote', at, by: 'provider',
    conn: String(headers['x-chaos-conn'] ?? ''),
    side: headers['x-chaos-side'] === 'B' ? 'B' : 'A',
    verb,
    ...(key === undefined ? {} : { key }),
    ...(request.id === undefined ? {} : { remoteId: request.id }),
    ...(isWrite ? { value: request.method === 'DELETE' ? null : valueOf(stored ?? sent), precondition: request.when.ifMatch ?? request.when.ifNoneMatch ?? null } : {}),
    ...(before === undefined ? {} : { was: valueOf(before) }),
    status: isLost === true ? 0 : answer.status,
    applied,
    worker: String(headers['x-chaos-worker'] ?? ''),
    ...(Number.isFinite(fence) ? { fence } : {}),
    ...(verb === 'LIST' || verb === 'DELTA' ? { cursor: request.query.get('token') } : {}),
    ...(answer.page === undefined ? {} : { answered: { cursor: answer.page.nextSyncToken ?? answer.page.nextPageToken ?? null, last: answer.page.nextPageToken === undefined, count: answer.page.items.length } }),
    ...(fault === undefined ? {} : { mischief: fault.do }),
    ...(fault?.retryAfterS === undefined ? {} : { retryAfterMs: fault.retryAfterS * 1_000 }),
  }
}

const endsOf = (changed: Changed | undefined): { readonly stored?: Stored; readonly before?: Stored } => {
  switch (changed?.is) {
    case 'created':
    case 'updated':
      return { stored: changed.stored, ...(changed.before === undefined ? {} : { before: changed.before }) }
    case 'deleted':
      return { before: changed.before }
    case 'failed':
      return changed.before === undefined ? {} : { before: changed.before }
    case 'missing':
    case 'duplicate':
    case undefined:
      return {}
  }
}

const sentIn = (body: string): { readonly key: string; readonly fields: Fields } | undefined => {
  try {
    const { key, fields } = JSON.parse(body) as { readonly key?: unknown; readonly fields?: unknown }
    return typeof key === 'string' && typeof fields === 'object' && fields !== null ? { key, fields: fields as Fields } : undefined
  } catch {
    return undefined
  }
}
