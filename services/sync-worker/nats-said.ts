/** Knows what every message of the worker is sent with, and what it means when NATS did not take one. */
import type { Contract } from '#libs/contracts/decode.ts'
import { headerNames } from '#libs/contracts/subjects.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'

export const headersOf = <A>(contract: Contract<A>, trace: string | undefined): Record<string, string> => ({
  [headerNames.schema]: contract.schema,
  ...(trace === undefined ? {} : { [headerNames.traceparent]: trace }),
})

export const told = (to: string) => (failure: NatsFailure): SyncFailure =>
  failure.is === 'too-large'
    ? { is: 'bad-item', message: `too large to be kept in NATS: ${describeNatsFailure(failure)}`, code: 'too-large' }
    : { is: 'unavailable', message: `${to}: ${describeNatsFailure(failure)}`, code: failure.is }
