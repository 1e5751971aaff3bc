/** Knows how to ask a service and to tell an answer from a refusal. Does not know what is asked. */
import { E, TE } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import { fromMsgHdrs, headerOf, toMsgHdrs } from './headers.ts'
import type { HeaderRecord } from './headers.ts'
import { request } from './request.ts'
import type { Bus } from './connect.ts'

export type AskOptions = { readonly timeoutMs: number; readonly headers?: HeaderRecord }
export type Answer = { readonly body: Uint8Array; readonly headers: HeaderRecord }

export const ask =
  (bus: Bus) =>
  (subject: string, body: Uint8Array, options: AskOptions): TE.TaskEither<NatsFailure, Answer> =>
  async () => {
    const headers = options.headers === undefined ? undefined : toMsgHdrs(options.headers)
    const answer = await request(bus, subject, body, options.timeoutMs, headers)
    if (answer._tag === 'Left') return answer
    // a service refuses in headers, not by failing the request (NATS.md §9)
    const code = headerOf(answer.right.headers, 'Nats-Service-Error-Code')
    const message = headerOf(answer.right.headers, 'Nats-Service-Error')
    return code === undefined && message === undefined
      ? E.right({ body: answer.right.data, headers: fromMsgHdrs(answer.right.headers) })
      : E.left({ is: 'service-error', code: Number(code ?? 500), message: message ?? 'no reason given' })
  }
