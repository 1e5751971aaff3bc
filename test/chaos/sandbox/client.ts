/** What the rig's clients do at a sandbox provider, and what the rig tells it; all past the faults. Throws when it is not there. */
import type { Fields } from '#libs/domain/record.ts'
import type { Remote } from '../history.ts'
import type { Settings, Stored } from './collection.ts'
import type { Fault } from './fault.ts'
import type { Limit } from './limit.ts'

export type ClientItem = { readonly id: string; readonly key: string; readonly etag: string; readonly fields: Fields }

export const sandboxClient = (url: string, collection: string) => {
  const items = `${url}/c/${encodeURIComponent(collection)}/items`
  const call = async (method: string, at: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: unknown }> => {
    const answer = await fetch(at, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }
  const tell = (what: string, body?: unknown): Promise<unknown> => call('POST', `${url}/control/${what}${what.includes('?') ? '&' : '?'}collection=${encodeURIComponent(collection)}`, body).then(({ body: said }) => said)
  return {
    byKey: async (key: string): Promise<ClientItem | undefined> => {
      const found = (await call('GET', `${items}?key=${encodeURIComponent(key)}`)).body as { readonly items: ReadonlyArray<ClientItem> }
      return found.items[0]
    },
    /** 'none': nothing may be there yet; an etag: only over that version. Answers whether it was done. */
    put: async (id: string, key: string, fields: Fields, over: string): Promise<boolean> =>
      (await call('PUT', `${items}/${encodeURIComponent(id)}`, { key, fields }, over === 'none' ? { 'if-none-match': '*' } : { 'if-match': over })).status < 300,
    remove: async (id: string, etag: string): Promise<boolean> => (await call('DELETE', `${items}/${encodeURIComponent(id)}`, undefined, { 'if-match': etag })).status < 300,
    all: async (): Promise<ReadonlyArray<Stored>> => (await tell('all')) as ReadonlyArray<Stored>,
    remotes: async (from = 0): Promise<ReadonlyArray<Remote>> => (await tell(`remotes?from=${from}`)) as ReadonlyArray<Remote>,
    faults: (faults: ReadonlyArray<Fault>): Promise<unknown> => tell('faults', faults),
    fault: (fault: Fault): Promise<unknown> => tell('fault', fault),
    limit: (limit: Limit | null): Promise<unknown> => tell('limit', limit),
    settings: (settings: Partial<Settings>): Promise<unknown> => tell('settings', settings),
    expire: (): Promise<unknown> => tell('expire'),
  }
}
