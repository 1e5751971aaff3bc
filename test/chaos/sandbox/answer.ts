/**
 * Knows the sandbox provider's HTTP: what one request to one collection does and how it is answered, without faults.
 *
 * GET /c/<collection>/items?limit=&token=   a page: {items, nextPageToken} or {items, nextSyncToken}; 410 for a lost token
 * GET /c/<collection>/items?key=&key=…      {items} with these keys
 * GET /c/<collection>/items/<id>            one item, or 404
 * PUT /c/<collection>/items/<id>            {key, fields}; 201 or 200 with the item; 412, 409 {error, id}, 422. Without a precondition it overwrites
 * DELETE /c/<collection>/items/<id>         204, 404, 412
 */
import type { Fields } from '#libs/domain/record.ts'
import { etagOf, type Changed, type Collection, type Page, type Precondition, type Shown, type Stored } from './collection.ts'
import type { Verb } from './fault.ts'

export type Request = {
  readonly method: string
  readonly id: string | undefined
  readonly query: URLSearchParams
  readonly when: Precondition
  readonly body: string
}
export type Answer = {
  readonly status: number
  readonly body?: unknown
  readonly etag?: string
  /** For the record. */
  readonly page?: Page
  readonly changed?: Changed
}

const mostOfAPage = 1_000

export const verbOf = ({ method, id, query, when }: Request, there: (id: string) => boolean): Verb => {
  if (method === 'PUT') return when.ifMatch !== undefined || (when.ifNoneMatch === undefined && there(id ?? '')) ? 'UPDATE' : 'CREATE'
  if (method === 'DELETE') return 'DELETE'
  if (id !== undefined || query.has('key')) return 'GET'
  const kind = query.get('token')?.slice(0, 2)
  return kind === 's.' || kind === 'd.' ? 'DELTA' : 'LIST'
}

export const answer = (collection: Collection, request: Request): Answer => {
  const { method, id, query } = request
  const show = (item: Shown): unknown => shownAs(item, collection.settings.garbled)
  if (id === undefined) {
    if (method !== 'GET') return { status: 405 }
    if (query.has('key')) return { status: 200, body: { items: collection.byKeys(query.getAll('key')).map(show) } }
    const limit = Math.min(mostOfAPage, Math.max(1, Number(query.get('limit') ?? 100) || 100))
    const page = collection.list(limit, query.get('token') ?? undefined)
    if (page === 'lost') return { status: 410, body: { error: 'fullSyncRequired' } }
    return { status: 200, page, body: bodyOf(page, show) }
  }
  switch (method) {
    case 'GET': {
      const found = collection.get(id)
      return found === undefined ? { status: 404 } : { status: 200, body: show(found), etag: etagOf(found) }
    }
    case 'PUT':
      return put(collection, id, request, show)
    case 'DELETE':
      return changedBy(collection.remove(id, request.when), show)
    default:
      return { status: 405 }
  }
}

export const bodyOf = ({ items, nextPageToken, nextSyncToken }: Page, show: (item: Shown) => unknown): unknown => ({ items: items.map(show), nextPageToken, nextSyncToken })

export const shownAs = (item: Shown, garbled: ReadonlyArray<string>): unknown => {
  if ('deleted' in item) return item
  return { id: item.id, key: item.key, etag: etagOf(item), fields: garbled.includes(item.key) ? '\u0000garbled' : item.fields }
}

const put = (collection: Collection, id: string, { body, when }: Request, show: (item: Stored) => unknown): Answer => {
  const sent = sentIn(body)
  if (sent === undefined) return { status: 400, body: { error: 'the body is not {key, fields}' } }
  if (collection.settings.refuses.includes(sent.key)) return { status: 422, body: { error: 'this item is not accepted' } }
  return changedBy(collection.put(id, sent.key, sent.fields, when), show)
}

const changedBy = (changed: Changed, show: (item: Stored) => unknown): Answer => {
  switch (changed.is) {
    case 'created':
    case 'updated':
      return { status: changed.is === 'created' ? 201 : 200, changed, body: show(changed.stored), etag: etagOf(changed.stored) }
    case 'deleted':
      return { status: 204, changed }
    case 'failed':
      return { status: 412, changed }
    case 'missing':
      return { status: 404, changed }
    case 'duplicate':
      return { status: 409, changed, body: { error: 'duplicate', id: changed.of.id } }
  }
}

const sentIn = (body: string): { readonly key: string; readonly fields: Fields } | undefined => {
  try {
    const { key, fields } = JSON.parse(body) as { readonly key?: unknown; readonly fields?: unknown }
    return typeof key === 'string' && key !== '' && typeof fields === 'object' && fields !== null ? { key, fields: fields as Fields } : undefined
  } catch {
    return undefined
  }
}
