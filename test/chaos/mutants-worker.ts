/**
 * One worker of a build under test: the whole engine of the engine's own rig, on the state store of a real nats-server and the
 * sandbox's real connector, with one safety taken away where a mutant says so.
 */
import { systemClock, type Clock } from '#libs/clock.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import type { ConnectionId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { spokenPorts } from '../../services/sync-worker/nats-ports.ts'
import { natsState } from '../../services/sync-worker/nats-state.ts'
import type { Ports } from '../../services/sync-worker/ports.ts'
import type { RunEnd } from '../../services/sync-worker/sync.ts'
import type { Mutant } from '../properties/world.ts'
import { engineRig } from '../support/engine-rig.ts'
import { monotonic, type HistoryRecord } from './history.ts'
import { sandboxConnector } from './sandbox/connector.ts'

/**
 * By it no renewal comes due and no trust runs out, as in a machine that slept: what stops an overtaken worker must be something
 * else, and a slow machine changes nothing. Pauses between two tries are as long as they are.
 */
const standingStill: Clock = {
  ...systemClock,
  monotonic: () => 0,
  sleep: (ms, signal) =>
    ms < 5_000 || signal?.aborted === true
      ? systemClock.sleep(ms, signal)
      : new Promise((done) => signal?.addEventListener('abort', () => done(), { once: true })),
}

export type Played = { readonly play: (item?: Partial<WorkItem>) => Promise<RunEnd> }

export type WorkerAsk = {
  readonly name: string
  readonly conn: ConnectionId
  readonly bus: Bus
  readonly mutant: Mutant | undefined
  readonly flow: Readonly<Record<string, unknown>>
  readonly record: (record: HistoryRecord) => void
}

export const workerOn = ({ name, conn, bus, mutant, flow, record }: WorkerAsk): Played => {
  const rig = engineRig({ direction: 'two-way', connection: { id: conn }, flow: { ...flow, ...mutant?.flow } })
  const connector = sandboxConnector(name)
  const whole: Ports = {
    ...rig.ports,
    clock: standingStill,
    worker: name,
    state: natsState(bus, systemClock.now),
    openSide: (connection, { id, kind, source, destination }, side, signal) => async () => {
      const { provider: _, ...options } = side === 'source' ? source : destination
      const opened = await connector.open({ options, kind, role: side, connection: connection.id, flow: id, secret: () => undefined, signal })()
      return E.isLeft(opened) ? opened : E.right(mutant?.side?.(side, opened.right) ?? opened.right)
    },
    sayArchived: spokenPorts(bus, 0).sayArchived,
    sayParked: (parked) => async () => E.right(record({ is: 'dead', at: monotonic(), storedAt: systemClock.now(), seq: 0, conn, msgId: '', raw: parked })),
  }
  const ports = mutant?.ports?.(whole, rig) ?? whole

  const play: Played['play'] = async (item = {}) => {
    record({ is: 'trigger', at: monotonic(), conn, result: 'ok' })
    const asked = systemClock.now()
    const end = await rig.play({ askedAt: asked, ...item }, { ports })
    const { result } = end
    record({ is: 'result', at: monotonic(), storedAt: systemClock.now(), seq: 0, conn, run: result.run, outcome: result.outcome, raw: result })
    const plan = result.flows[0]?.plan
    const approves = mutant?.approvesAll === true && result.outcome === 'held' && plan !== undefined && item.approved !== plan
    return approves ? play({ ...item, askedAt: systemClock.now(), approved: plan }) : end
  }
  return { play }
}
