/** Knows what an answer of NATS about stored state means to a run: a lost race, nothing stored, nobody knows, or broken. */
import { decode, type Contract } from '#libs/contracts/decode.ts'
import { E, pipe } from '#libs/fp.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import type { StoreFailure, Stored } from './ports.ts'

/** `bucket`: where it is kept, for whoever has to mend it. */
export const decoded = <A>(contract: Contract<A>, bucket: string, entry: KvEntry): E.Either<StoreFailure, Stored<A>> =>
  pipe(
    decode(contract, entry.value ?? new Uint8Array()),
    E.mapLeft((bad): StoreFailure => ({ is: 'broken', message: `${bucket} ${entry.key} is not a ${bad.codec}: ${bad.report.join('; ')}` })),
    E.map((value) => ({ value, revision: entry.revision })),
  )

export const storeFailure = (failure: NatsFailure): StoreFailure => {
  switch (failure.is) {
    case 'wrong-sequence':
    case 'write-in-flight':
      return { is: 'refused' }
    case 'batch-incomplete':
      // Refused at its first message nothing was written; at the commit nobody knows (NATS.md §4.3).
      return failure.at === 'first' ? { is: 'not-stored', message: describeNatsFailure(failure) } : { is: 'unknown', message: describeNatsFailure(failure) }
    case 'timeout':
      return { is: 'unknown', message: describeNatsFailure(failure) }
    case 'disconnected':
    case 'no-responders':
      return { is: 'not-stored', message: describeNatsFailure(failure) }
    default:
      return { is: 'broken', message: describeNatsFailure(failure) }
  }
}
