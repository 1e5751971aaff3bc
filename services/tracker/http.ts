/**
 * Knows how questions come in over HTTP and how answers leave: routes, methods, bodies, the token. Does not know the
 * answers. Only JSON; no cross-origin reading is ever allowed.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { E } from '#libs/fp.ts'
import { hasToken, isForeign, whyNot } from './http-guard.ts'
import { refusal } from './question.ts'
import type { Refusal } from './question.ts'

export type Request = {
  readonly method: string
  /** Segments of the path behind its last fixed part, decoded. */
  readonly rest: string | undefined
  readonly query: URLSearchParams
  /** The decoded JSON body; undefined when there was none. */
  readonly body: unknown
}
export type Reply = { readonly code: number; readonly body: object }
export type Route = {
  readonly path: string
  /** Also answers `<path>/<one segment>`. */
  readonly takesRest?: boolean
  readonly isOpen?: boolean
  readonly methods: Readonly<Record<string, (request: Request) => Promise<Reply>>>
}

export type HttpOptions = {
  readonly host: string
  readonly port: number
  readonly token?: string
  readonly routes: ReadonlyArray<Route>
  readonly onError: (error: unknown, request: { readonly method: string; readonly path: string }) => void
}

export type Listening = { readonly url: string; readonly port: number; readonly stop: () => Promise<void>; readonly abort: () => void }

/** Every question fits easily; more is a mistake or an attack. */
const mostBodyBytes = 16 * 1024

/** Left says what to do: most of all when the port is taken. */
export const listenHttp = (options: HttpOptions): Promise<E.Either<string, Listening>> =>
  new Promise((resolve) => {
    const server = createServer((incoming, outgoing) => void serve(options, incoming, outgoing))
    server.requestTimeout = 10_000 // a sender that never ends its body holds nothing for longer
    server.headersTimeout = 5_000
    server.once('error', (error: NodeJS.ErrnoException) => resolve(E.left(whyNot(options, error))))
    server.listen(options.port, options.host, () => resolve(E.right(listeningOn(server, options.host))))
  })

const listeningOn = (server: Server, host: string): Listening => {
  const { port } = server.address() as AddressInfo
  const closed = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    stop: () => {
      const ended = closed()
      server.closeIdleConnections()
      return ended
    },
    abort: () => {
      void closed()
      server.closeAllConnections()
    },
  }
}

const serve = async (options: HttpOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const url = URL.parse(incoming.url ?? '/', 'http://local')
  const method = incoming.method ?? 'GET'
  try {
    const answered = url === null ? E.left(noSuchPath(incoming.url ?? '')) : await answer(options, incoming, method, url)
    if (answered._tag === 'Right') send(outgoing, answered.right.code, answered.right.body)
    else sendRefusal(outgoing, answered.left)
  } catch (error) {
    options.onError(error, { method, path: url?.pathname ?? '' })
    sendRefusal(outgoing, refusal(500, 'bug', 'the tracker could not answer', 'its log says why'))
  }
}

type Refused = Refusal & { readonly headers?: Readonly<Record<string, string>> }

const answer = async (options: HttpOptions, incoming: IncomingMessage, method: string, url: URL): Promise<E.Either<Refused, Reply>> => {
  const found = find(options.routes, url.pathname)
  if (found === undefined) return E.left(noSuchPath(url.pathname))
  if (options.token !== undefined && found.route.isOpen !== true && !hasToken(incoming.headers.authorization, options.token)) {
    return E.left({ ...refusal(401, 'not-authenticated', 'this needs a token', 'send the header Authorization: Bearer <token>'), headers: { 'www-authenticate': 'Bearer' } })
  }
  // HEAD is a GET whose body Node does not send
  const perform = found.route.methods[method === 'HEAD' ? 'GET' : method]
  if (perform === undefined) {
    const allow = Object.keys(found.route.methods).join(', ')
    return E.left({ ...refusal(405, 'wrong-method', `${url.pathname} does not take ${method}`, `it takes ${allow}`), headers: { allow } })
  }
  // Without a token any page in a browser on this machine could write here: browsers say where the page is from
  if (method !== 'GET' && method !== 'HEAD' && options.token === undefined && isForeign(incoming.headers.origin, options.host)) {
    return E.left(refusal(403, 'foreign-origin', `pages from ${incoming.headers.origin} may not do this`))
  }
  const body = await bodyOf(incoming)
  if (body._tag === 'Left') return body
  return E.right(await perform({ method, rest: found.rest, query: url.searchParams, body: body.right }))
}

const find = (routes: ReadonlyArray<Route>, path: string): { readonly route: Route; readonly rest: string | undefined } | undefined => {
  for (const route of routes) {
    if (path === route.path || path === `${route.path}/`) return { route, rest: undefined }
    if (route.takesRest !== true || !path.startsWith(`${route.path}/`)) continue
    const rest = path.slice(route.path.length + 1)
    if (/^[A-Za-z0-9_-]+$/.test(rest)) return { route, rest }
  }
  return undefined
}

const noSuchPath = (path: string): Refusal => refusal(404, 'no-such-path', `there is nothing at ${path}`, 'GET /api/sync lists what there is')

const bodyOf = async (incoming: IncomingMessage): Promise<E.Either<Refused, unknown>> => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostBodyBytes) return E.left({ ...refusal(413, 'too-large', `a body may have ${mostBodyBytes} bytes`), headers: { connection: 'close' } })
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  if (text === '') return E.right(undefined)
  return E.tryCatch(() => JSON.parse(text) as unknown, (error): Refused => refusal(400, 'not-json', `the body is not JSON: ${String(error)}`, 'leave it out, or send an object'))
}

const send = (outgoing: ServerResponse, code: number, body: object, headers: Readonly<Record<string, string>> = {}): void => {
  outgoing.writeHead(code, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers })
  outgoing.end(`${JSON.stringify(body)}\n`)
}

const sendRefusal = (outgoing: ServerResponse, { code, name, message, mend, headers }: Refused): void =>
  send(outgoing, code, { error: { code: name, message, ...(mend === undefined ? {} : { mend }) } }, headers)
