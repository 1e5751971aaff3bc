/**
 * Knows how a flow's sides are opened through their connectors, and keeps them open between runs for a while, so that a
 * connection synced every few seconds does not log in every time (R 13.4). A side that failed is not kept.
 */
import type { Connector, Side } from '#libs/connectors/connector.ts'
import { canonicalJson, type Json } from '#libs/domain/json.ts'
import { E, type TE } from '#libs/fp.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Clock } from '#libs/clock.ts'
import type { Ports } from './ports.ts'

type Kept = { readonly shape: string; readonly side: Side; readonly idleSince: number }

/** A database connection idle for longer is given back. */
const keepMs = 60_000

export const openSides = (connectors: ReadonlyMap<string, Connector>, secret: (reference: string) => string | undefined, clock: Clock) => {
  const kept = new Map<string, Kept>()

  const openSide: Ports['openSide'] = (connection, flow, name, signal) => async () => {
    const side = name === 'source' ? flow.source : flow.destination
    const connector = connectors.get(side.provider)
    if (connector === undefined) return E.left({ is: 'needs-person', message: `unknown provider "${side.provider}"`, mend: `use one of: ${[...connectors.keys()].sort().join(', ')}` })
    const slot = `${connection.id}/${flow.id}/${name}`
    const shape = canonicalJson(JSON.parse(JSON.stringify([side, flow.fields ?? null, flow.kind])) as Json)
    const idle = kept.get(slot)
    kept.delete(slot)
    if (idle?.shape === shape) return E.right(lent(slot, shape, idle.side))
    if (idle !== undefined) await idle.side.close()
    const { provider: _provider, ...options } = side
    const fields = flow.fields === undefined ? undefined : name === 'source' ? Object.values(flow.fields) : Object.keys(flow.fields)
    const opened = await connector.open({
      options, kind: flow.kind, role: name, connection: connection.id, flow: flow.id, secret, signal, ...(fields === undefined ? {} : { fields }),
    })()
    return E.isLeft(opened) ? opened : E.right(lent(slot, shape, opened.right))
  }

  /** The side as a run sees it: closing hands it back, unless a call on it failed. */
  const lent = (slot: string, shape: string, side: Side): Side => {
    let broken = false
    const watched = <A>(call: TE.TaskEither<SyncFailure, A>): TE.TaskEither<SyncFailure, A> => async () => {
      const answer = await call()
      if (E.isLeft(answer)) broken = true
      return answer
    }
    return {
      ...side,
      read: (ask) => watched(side.read(ask)),
      fetch: (ids, signal) => watched(side.fetch(ids, signal)),
      find: (keys, signal) => watched(side.find(keys, signal)),
      write: (writes, signal) => watched(side.write(writes, signal)),
      close: async () => {
        if (broken || kept.has(slot)) return side.close()
        kept.set(slot, { shape, side, idleSince: clock.monotonic() })
      },
    }
  }

  const closeIdle = async (olderThanMs: number): Promise<void> => {
    for (const [slot, { side, idleSince }] of [...kept]) {
      if (clock.monotonic() - idleSince < olderThanMs) continue
      kept.delete(slot)
      await side.close()
    }
  }

  const timer = setInterval(() => void closeIdle(keepMs).catch(() => undefined), keepMs / 2)
  timer.unref()
  return {
    openSide,
    closeAll: async () => {
      clearInterval(timer)
      await closeIdle(0)
    },
  }
}
