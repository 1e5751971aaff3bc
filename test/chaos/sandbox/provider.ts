/**
 * A provider on HTTP that behaves as the vendors document theirs (answer.ts), may be told to misbehave (fault.ts), and keeps
 * a record of every request in the order of arrival. Runs inside the rig's process, or by provider-main.ts in its own.
 *
 * Requests of the engine carry `x-chaos-worker`, `x-chaos-conn`, `x-chaos-side` and, where it is known, `x-chaos-fence`;
 * those of clients do not, and meet neither faults nor limits. `/control` is the rig's own door: client.ts.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monotonic, type Remote } from '../history.ts'
import { answer, bodyOf, shownAs, verbOf, type Answer, type Request } from './answer.ts'
import { openCollection, type Collection } from './collection.ts'
import { control, type Controlled } from './control.ts'
import { faultsOf, type Fault } from './fault.ts'
import { misbehaved, type Sent } from './misbehave.ts'
import { allowance, type Limit } from './limit.ts'
import { remoteOf } from './record.ts'

export type SandboxOptions = {
  readonly port?: number
  /** Called for every request of the engine, when its outcome is known. */
  readonly record?: (remote: Remote) => void
  /** The fields one of which holds an item's unique value. Default: those that chaos connections use. */
  readonly valueFields?: ReadonlyArray<string>
  /** A request of the engine waits here before anything is done; only inside the rig's own process. */
  readonly before?: (request: Arrived) => Promise<void>
}
export type Arrived = { readonly collection: string; readonly verb: Remote['verb']; readonly worker: string; readonly conn: string; readonly id: string | undefined }

export type Sandbox = {
  readonly url: string
  readonly collection: (name: string) => Collection
  readonly faults: ReturnType<typeof faultsOf>
  /** At most so many requests of the engine to each collection; undefined = no limit. */
  readonly limit: (limit: Limit | undefined) => void
  /** All requests of the engine so far, in order of arrival. */
  readonly remotes: ReadonlyArray<Remote>
  readonly stop: () => Promise<void>
}

export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const collections = new Map<string, Collection>()
  const collection = (name: string): Collection => {
    const found = collections.get(name) ?? openCollection(monotonic)
    collections.set(name, found)
    return found
  }
  const valueFields = options.valueFields ?? ['note', 'NOTE', 'value']
  const faults = faultsOf()
  const allowed = allowance()
  const remotes: Array<Remote> = []
  const controlled: Controlled = { collection, faults, limit: allowed.set, remotes }

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const at = monotonic()
    const url = new URL(message.url ?? '/', 'http://sandbox')
    const body = await bodyIn(message)
    if (url.pathname.startsWith('/control/')) return send(response, control(controlled, url, body))
    const [, root, name, items, id, ...more] = url.pathname.split('/').map(decodeURIComponent)
    if (root !== 'c' || name === undefined || items !== 'items' || more.length > 0) return send(response, { status: 404 })
    const request: Request = { method: message.method ?? '', id, query: url.searchParams, when: preconditionOf(message), body }
    const one = collection(name)
    const verb = verbOf(request, (there) => one.get(there) !== undefined)
    const worker = header(message, 'x-chaos-worker')
    if (worker === undefined) return send(response, answer(one, request))

    const slot = remotes.push(remoteOf({ at, message, verb, request, valueFields, answer: { status: 0 }, applied: false })) - 1
    await options.before?.({ collection: name, verb, worker, conn: header(message, 'x-chaos-conn') ?? '', id })
    const fault = faults.strike({ collection: name, verb, worker }) ?? allowed.refusal(name, at)
    const sent = misbehaved(fault, () => answer(one, request), { verb, asked: request.query.get('token'), again: (page) => bodyOf(page, (item) => shownAs(item, one.settings.garbled)) })
    const remote = remoteOf({ at, message, verb, request, valueFields, answer: sent.answer, applied: sent.applied, ...(fault === undefined ? {} : { fault }), ...(sent.isLost ? { isLost: true } : {}) })
    remotes[slot] = remote
    options.record?.(remote)
    await deliver(response, sent, fault)
  }

  const server = createServer((message, response) => {
    serve(message, response).catch((cause: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(cause))
    })
  })
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(options.port ?? 0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    collection, faults, limit: allowed.set, remotes,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const deliver = async (response: ServerResponse, { answer: given, isLost, isCut }: Sent, fault: Fault | undefined): Promise<void> => {
  if (isLost) return void response.socket?.destroy()
  if (fault?.do === 'slow') await new Promise((done) => setTimeout(done, fault.ms ?? 1_000))
  send(response, given, isCut, fault)
}

const send = (response: ServerResponse, { status, body, etag }: Answer, isCut = false, fault?: Fault): void => {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(etag === undefined ? {} : { etag }),
    ...(fault?.retryAfterS === undefined ? {} : { 'retry-after': String(fault.retryAfterS) }),
  })
  response.end(isCut ? text.slice(0, text.length / 2) : text)
}

const bodyIn = async (message: IncomingMessage): Promise<string> => {
  const pieces: Array<Buffer> = []
  for await (const piece of message) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

const header = (message: IncomingMessage, name: string): string | undefined => {
  const value = message.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const preconditionOf = (message: IncomingMessage): Request['when'] => {
  const [ifMatch, ifNoneMatch] = [header(message, 'if-match'), header(message, 'if-none-match')]
  return { ...(ifMatch === undefined ? {} : { ifMatch }), ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) }
}
