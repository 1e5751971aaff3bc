/** Knows how the sandbox connector writes one item: its address, its precondition, and what each answer comes to. */
import { hash } from 'node:crypto'
import type { Write, Wrote } from '#libs/connectors/connector.ts'
import { hashOf, type Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { failed, type Answered, type Ask, type Caller, type Trouble } from './call.ts'

/** The same for every worker, so that a create that is repeated meets its own item (SYNC.md §0 rule 9). */
export const idOf = (key: string): string => `i${hash('sha256', key, 'base64url').slice(0, 22)}`

export const writeItem = async (caller: Caller, items: string, write: Write, signal: AbortSignal): Promise<Wrote> => {
  const answer = await caller(askOf(items, write), signal)()
  return E.isRight(answer) ? done(write, answer.right) : notDone(write, answer.left)
}

const askOf = (items: string, write: Write): Ask => {
  const id = write.do === 'create' ? idOf(write.key) : write.remoteId
  const about = { url: `${items}/${encodeURIComponent(id)}`, subject: 'item', item: write.key } as const
  if (write.do === 'create') return { ...about, method: 'PUT', headers: { 'if-none-match': '*' }, body: { key: write.key, fields: write.fields } }
  // Nothing expected: whatever version is there, but something must be.
  const headers = { 'if-match': write.expect ?? '*' }
  if (write.do === 'delete') return { ...about, method: 'DELETE', headers }
  return { ...about, method: 'PUT', headers, body: { key: write.key, fields: write.fields } }
}

const done = (write: Write, { body, etag }: Answered): Wrote => {
  if (write.do === 'delete') return { is: 'done', remoteId: write.remoteId, version: null }
  const stored = body as { readonly id?: string; readonly fields?: unknown } | null
  const remoteId = stored?.id ?? (write.do === 'create' ? idOf(write.key) : write.remoteId)
  const fields = typeof stored?.fields === 'object' && stored.fields !== null ? (stored.fields as Fields) : undefined
  const differs = fields !== undefined && hashOf(fields) !== hashOf(write.fields)
  return { is: 'done', remoteId, version: etag, ...(differs ? { fields } : {}) }
}

const notDone = (write: Write, trouble: Trouble): Wrote => {
  switch (trouble.treatment.action) {
    case 'adopt': {
      const there = (trouble.body as { readonly id?: unknown } | null)?.id
      return { is: 'exists', remoteId: typeof there === 'string' ? there : idOf(write.key) }
    }
    case 'replan':
    case 'gone':
      return write.do === 'create' ? { is: 'exists', remoteId: idOf(write.key) } : { is: 'stale' }
    case 'item':
      return { is: 'refused', failure: failed(trouble) }
    default:
      return { is: 'failed', failure: failed(trouble) }
  }
}
