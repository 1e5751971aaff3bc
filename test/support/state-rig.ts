/** Knows how to give the laws of the state store a real `sync_state`: on one server, or on three. */
import { bucketDefs } from '#libs/contracts/streams.ts'
import { buckets } from '#libs/contracts/subjects.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { provision } from '#libs/nats/provision.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'
import type { Checkpoints } from '../../services/sync-worker/nats-checkpoints.ts'
import { natsState } from '../../services/sync-worker/nats-state.ts'
import type { StateRig } from '../laws/state-law-rig.ts'

export const provisionState = async (bus: Bus, replicas: number): Promise<void> => {
  const provisioned = await provision(bus)({ streams: [], buckets: bucketDefs.filter(({ name }) => name === buckets.state), consumers: [] }, { replicas })()
  if (E.isLeft(provisioned)) throw new Error(JSON.stringify(provisioned.left))
}

export const natsStateRig = (bus: Bus, checkpoints?: Pick<Checkpoints, 'read' | 'isSole'>, named = 'c'): StateRig => {
  const bucket = openBucket(bus)(buckets.state)
  let made = 0
  return {
    state: natsState(bus, Date.now, checkpoints),
    fresh: () => `${named}${++made}` as ConnectionId,
    pass: (ms) => new Promise((done) => setTimeout(done, ms)),
    remove: async (key) => {
      const removed = await bucket.delete(key)()
      if (E.isLeft(removed)) throw new Error(JSON.stringify(removed.left))
    },
    headersOf: async (key) => {
      const found = await getMessage(bus)(`KV_${buckets.state}`, { lastBySubject: bucket.subjectOf(key) })()
      if (E.isLeft(found) || found.right === undefined) throw new Error(`nothing is stored under ${key}`)
      return found.right.headers
    },
  }
}
