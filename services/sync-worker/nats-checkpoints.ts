/**
 * Knows the cheapest way in which the newest checkpoint can be had for sure: from memory, from the one server that keeps it, or
 * from its leader. Does not know what stands in it.
 */
import { buckets, stateKeys } from '#libs/contracts/subjects.ts'
import { E, type TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { heardBucket } from '#libs/nats/heard-bucket.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { openBucket } from '#libs/nats/kv.ts'
import type { KvEntry } from '#libs/nats/kv-entry.ts'
import { watchSoleReplica, type SoleReplica } from '#libs/nats/sole-replica.ts'

export type ReadEntry = (key: string) => TE.TaskEither<NatsFailure, KvEntry | undefined>

export type Checkpoints = {
  readonly read: ReadEntry
  /** Whether one server alone has them: then it takes what one client sends in the order it was sent. */
  readonly isSole: () => boolean
  readonly stop: () => void
}

/** `onFailure`: a right is missing; it goes on, with more round trips. */
export const checkpointsOn = (bus: Bus, onFailure: (failure: NatsFailure) => void): Checkpoints => {
  const sole = watchSoleReplica(bus, `KV_${buckets.state}`, onFailure)
  const { subjectOf } = openBucket(bus)(buckets.state)
  const heard = heardBucket(bus, { subjectOf, get: readDirectly(bus, sole.isSole) }, { filter: stateKeys.checkpoints, sole, onFailure })
  return {
    read: heard.get,
    isSole: sole.isSole,
    stop: () => {
      heard.stop()
      sole.stop()
    },
  }
}

/** Past the leader's API, whose JSON and base64 cost the server more than the read. Whatever is not found, or fails, is asked of the leader. */
export const readDirectly = (bus: Bus, isSole: SoleReplica['isSole']): ReadEntry => {
  const leader = openBucket(bus)(buckets.state)
  const direct = openBucket(bus)(buckets.state, { direct: true })
  return (key) => async () => {
    if (isSole()) {
      const read = await direct.get(key)()
      if (E.isRight(read) && read.right !== undefined) return read
    }
    return leader.get(key)()
  }
}
