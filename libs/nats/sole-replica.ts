/**
 * Knows whether one server alone keeps a stream, so that every answer about it is its leader's and none can be stale
 * (NATS.md §2.4). Does not know what is read then.
 *
 * Whoever adds replicas to a stream makes the server say so at once, before another copy has caught up and may answer; from
 * that moment until the stream has been looked at again the answer here is "no". It is also after each loss of the
 * connection, while that news could not be heard, and for ever without the right to hear it.
 */
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import { apiRequest } from './request.ts'
import type { Bus } from './connect.ts'

export type SoleReplica = {
  /** Whether the next direct read may be believed as the leader's would. Never true where such reads are switched off. */
  readonly isSole: () => boolean
  /** Counts up whenever it was not sure for a moment: what was read before may be of a stream that is gone. */
  readonly doubts: () => number
  readonly stop: () => void
}

/** News by the server is said once and not kept; this is for the case that it got lost on its way. */
const lookEveryMs = 30_000

type Info = {
  readonly config: { readonly num_replicas: number; readonly allow_direct?: boolean }
  /** Names the others while a stream is moved, too, when `num_replicas` still says 1. */
  readonly cluster?: { readonly replicas?: ReadonlyArray<unknown> | null }
}

export const watchSoleReplica = (bus: Bus, stream: string, onFailure: (failure: NatsFailure) => void): SoleReplica => {
  let sole = false
  let doubts = 0
  let asked = 0
  let mayHear = true
  let stopped = false

  const look = async (): Promise<void> => {
    const mine = ++asked
    // Only an answer to what was asked after we were heard: a refused subscription is told before it
    const info = await apiRequest<Info>(bus, `$JS.API.STREAM.INFO.${stream}`, '')
    if (mine !== asked || stopped) return // asked again meanwhile: something changed
    if (info._tag === 'Left') {
      doubt()
      if (info.left.is === 'denied') giveUp(info.left)
      return
    }
    const { config, cluster } = info.right
    const isSole = mayHear && config.num_replicas === 1 && config.allow_direct === true && (cluster?.replicas ?? []).length === 0
    if (!isSole) doubt()
    sole = isSole
  }
  const doubt = (): void => {
    sole = false
    doubts++
  }
  const lookAnew = (): void => {
    doubt()
    asked++
    if (mayHear) void look()
  }
  const giveUp = (failure: NatsFailure): void => {
    if (!mayHear || stopped) return
    mayHear = false
    doubt()
    clearInterval(again)
    onFailure(failure)
  }

  const sub = bus.nc.subscribe(`$JS.EVENT.ADVISORY.STREAM.*.${stream}`, {
    callback: (err) => (err === null ? lookAnew() : giveUp(natsFailureOf(err))),
  })
  const offDisconnect = bus.onDisconnect(() => {
    doubt()
    asked++
  })
  const offReconnect = bus.onReconnect(lookAnew)
  const again = setInterval(() => void look(), lookEveryMs)
  again.unref()
  lookAnew()

  return {
    isSole: () => sole,
    doubts: () => doubts,
    stop: () => {
      stopped = true
      sole = false
      clearInterval(again)
      offDisconnect()
      offReconnect()
      if (!bus.nc.isClosed()) sub.unsubscribe()
    },
  }
}
