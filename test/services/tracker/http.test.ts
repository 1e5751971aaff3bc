import { afterEach, describe, expect, it } from 'vitest'
import { listenHttp } from '../../../services/tracker/http.ts'
import type { HttpOptions, Listening, Route } from '../../../services/tracker/http.ts'

const routes: ReadonlyArray<Route> = [
  { path: '/open', isOpen: true, methods: { GET: () => Promise.resolve({ code: 200, body: { open: true } }) } },
  { path: '/thing', takesRest: true, methods: {
    GET: ({ rest, query }) => Promise.resolve({ code: 200, body: { rest: rest ?? null, limit: query.get('limit') } }),
    POST: ({ body }) => Promise.resolve({ code: 200, body: { got: body ?? null } }),
  } },
  { path: '/bug', methods: { GET: () => Promise.reject(new Error('secret')) } },
]

const open: Array<Listening> = []
const listen = async (change: Partial<HttpOptions> = {}): Promise<Listening> => {
  const end = await listenHttp({ host: '127.0.0.1', port: 0, routes, onError: () => undefined, ...change })
  if (end._tag === 'Left') throw new Error(end.left)
  open.push(end.right)
  return end.right
}
afterEach(() => open.splice(0).forEach(({ abort }) => { abort() }))

const ask = async (path: string, init: RequestInit = {}, change: Partial<HttpOptions> = {}) => {
  const { url } = await listen(change)
  const answer = await fetch(url + path, init)
  return { code: answer.status, headers: answer.headers, body: (await answer.json()) as { error?: { code: string; message: string; mend?: string } } }
}

describe('a question over HTTP', () => {
  it('reaches its route with the rest of the path and the query', async () => {
    expect(await ask('/thing/a-b?limit=3')).toMatchObject({ code: 200, body: { rest: 'a-b', limit: '3' } })
    expect(await ask('/thing/')).toMatchObject({ code: 200, body: { rest: null } })
  })
  it('brings its JSON body', async () => {
    expect(await ask('/thing', { method: 'POST', body: '{"a":1}' })).toMatchObject({ body: { got: { a: 1 } } })
    expect(await ask('/thing', { method: 'POST' })).toMatchObject({ body: { got: null } })
  })
  it.each([
    ['an unknown path', '/nothing', {}, 404, 'no-such-path'],
    ['a path that climbs', '/thing/../../etc/passwd', {}, 404, 'no-such-path'],
    ['a rest that is no id', '/thing/a%2Fb', {}, 404, 'no-such-path'],
    ['a body that is no JSON', '/thing', { method: 'POST', body: '{' }, 400, 'not-json'],
    ['a body that is too large', '/thing', { method: 'POST', body: 'x'.repeat(20_000) }, 413, 'too-large'],
    ['a page from elsewhere that writes', '/thing', { method: 'POST', headers: { origin: 'http://evil.example' } }, 403, 'foreign-origin'],
    ['a bug', '/bug', {}, 500, 'bug'],
  ])('is refused: %s', async (_, path, init, code, name) => {
    expect(await ask(path, init)).toMatchObject({ code, body: { error: { code: name } } })
  })
  it('with the wrong method learns the right ones', async () => {
    const { code, headers, body } = await ask('/thing', { method: 'DELETE' })
    expect([code, headers.get('allow'), body.error?.code]).toEqual([405, 'GET, POST', 'wrong-method'])
  })
  it('never hears what went wrong inside', async () => {
    expect(JSON.stringify(await ask('/bug'))).not.toContain('secret')
  })
})

describe('with a token', () => {
  const token = 'correct-horse'
  it.each([
    ['none', {}, 401], ['a wrong one', { authorization: 'Bearer wrong' }, 401], ['a wrong scheme', { authorization: `Basic ${token}` }, 401],
    ['the right one', { authorization: `Bearer ${token}` }, 200],
  ])('%s', async (_, headers, code) => {
    expect((await ask('/thing', { headers }, { token })).code).toBe(code)
  })
  it('open paths need none', async () => {
    expect((await ask('/open', {}, { token })).code).toBe(200)
  })
})

describe('a port', () => {
  it('that is taken is named, with the setting to change', async () => {
    const { port } = await listen()
    const second = await listenHttp({ host: '127.0.0.1', port, routes, onError: () => undefined })
    expect(second).toMatchObject({ _tag: 'Left', left: expect.stringMatching(new RegExp(`port ${port} .*in use.*TRACKER_HTTP_PORT`)) as string })
  })
  it('at an address of another machine is named with its setting', async () => {
    expect(await listenHttp({ host: '203.0.113.1', port: 0, routes, onError: () => undefined })).toMatchObject({ _tag: 'Left', left: expect.stringContaining('TRACKER_HTTP_HOST') as string })
  })
})
