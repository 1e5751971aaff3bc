/** Knows where the highest fence of a connection stands that anybody told the tracker of: KV `sync_status`, asked of its leader. */
import { decode } from '#libs/contracts/decode.ts'
import { Status } from '#libs/contracts/status.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { Ports, StoreFailure } from './ports.ts'

/** The run waits for it. */
const timeoutMs = 2_000

export const natsFences = (bus: Bus): Ports['highestFence'] => {
  const bucket = openBucket(bus)(buckets.status, { timeoutMs })
  return (conn) =>
    pipe(
      bucket.get(conn),
      TE.mapLeft((failure): StoreFailure => ({ is: 'broken', message: `${buckets.status}: ${describeNatsFailure(failure)}` })),
      TE.chainEitherK((entry): E.Either<StoreFailure, number> => {
        if (entry === undefined || entry.value === null) return E.right(0)
        return pipe(decode(Status, entry.value), E.bimap((bad): StoreFailure => ({ is: 'broken', message: `${buckets.status} ${conn}: ${bad.report.join('; ')}` }), ({ fence }) => fence))
      }),
    )
}
