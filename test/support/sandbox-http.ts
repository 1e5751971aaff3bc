/**
 * A provider on HTTP that behaves as a test tells it: every request is kept in the order of its arrival, and answered by the
 * first behaviour that has something to say; without one by `{}`. A response can be lost after the request was taken.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Arrived = { readonly at: number; readonly method: string; readonly path: string; readonly body: string; readonly account: string }
export type Answered = { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
/** undefined: nothing to say. `lost`: the request counts as done, and the line breaks before the answer. */
export type Behaviour = (request: Arrived, earlier: ReadonlyArray<Arrived>) => Answered | 'lost' | undefined

export type SandboxHttp = {
  readonly url: string
  readonly requests: ReadonlyArray<Arrived>
  /** Replaces what it does from now on. */
  readonly behave: (...behaviours: ReadonlyArray<Behaviour>) => void
  readonly stop: () => Promise<void>
}

/** `now`: by whose clock requests arrive, in ms. */
export const startSandboxHttp = async (now: () => number = () => performance.now()): Promise<SandboxHttp> => {
  const requests: Array<Arrived> = []
  let behaviours: ReadonlyArray<Behaviour> = []
  const server = createServer((request, response) => {
    const at = now() // of the arrival, not of the end of the body
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece)).on('end', () => {
      const arrived = { at, method: request.method ?? '', path: request.url ?? '', body, account: request.headers.authorization ?? '' }
      const earlier = [...requests]
      requests.push(arrived)
      const answer = behaviours.map((behaviour) => behaviour(arrived, earlier)).find((one) => one !== undefined) ?? { status: 200 }
      if (answer === 'lost') request.socket.destroy()
      else response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body ?? '{}')
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave: (...wanted) => { behaviours = wanted },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** Refuses what is more than `limit` requests of an account in any `windowMs`. */
export const limitedTo = (limit: number, windowMs: number, headers: Readonly<Record<string, string>> = {}): Behaviour => (request, earlier) => {
  const recent = earlier.filter(({ at, account }) => account === request.account && at > request.at - windowMs)
  return recent.length < limit ? undefined : { status: 429, headers }
}
