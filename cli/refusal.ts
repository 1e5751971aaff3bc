/** Knows why a command could not do what was asked, in one line with what to do next. */
import type { NatsFailure } from '#libs/nats/failure.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'

export type Refusal = { readonly code: ExitCode; readonly message: string; readonly mend?: string }

export const refusal = (code: ExitCode, message: string, mend?: string): Refusal => ({ code, message, ...(mend === undefined ? {} : { mend }) })

/** `what` names what was wanted: "connection contacts cannot be read". */
export const refusalOf = (what: string) => (failure: NatsFailure): Refusal => {
  const failed = (why: string, mend?: string): Refusal => refusal(exitCodes.failed, `${what}: ${why}`, mend)
  switch (failure.is) {
    case 'not-found':
      return failed(failure.what, 'streams and buckets are made by `syncline provision`')
    case 'no-responders':
      return failed('JetStream does not answer', 'is it enabled on this server? `syncline doctor` looks')
    case 'denied':
      return failed(describeNatsFailure(failure), 'use a NATS user with the right to do this: --user, --creds, NATS_USER')
    case 'wrong-sequence':
      return refusal(exitCodes.busy, `${what}: somebody else wrote at the same time`, 'look, and try again')
    case 'old-server':
      return failed(describeNatsFailure(failure), 'run a newer nats-server, or `npm start`, which brings one')
    default:
      return failed(describeNatsFailure(failure))
  }
}

export const refusalLine = ({ message, mend }: Refusal): string => `syncline: ${message}${mend === undefined ? '' : `; ${mend}`}`
