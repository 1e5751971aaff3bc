/**
 * Knows how a flow's sides are opened through their connectors, and keeps them open between runs for a while, so that a
 * connection synced every few seconds does not log in every time (R 13.4). A side that failed is not kept. Every call goes
 * through the gate of its provider account.
 */
import type { Connector, Side } from '#libs/connectors/connector.ts'
import type { Flow } from '#libs/domain/connection.ts'
import { canonicalJson, type Json } from '#libs/domain/json.ts'
import { E } from '#libs/fp.ts'
import type { Clock } from '#libs/clock.ts'
import { outcomeOf } from './call-outcome.ts'
import type { SideName } from './classify.ts'
import { guardedSide, type Around } from './guarded-side.ts'
import type { Ports } from './ports.ts'
import type { Account, Gate } from './provider-gate.ts'

type Kept = { readonly shape: string; readonly side: Side; readonly idleSince: number }

/** A database connection idle for longer is given back. */
const keepMs = 60_000

export const openSides = (connectors: ReadonlyMap<string, Connector>, secret: (reference: string) => string | undefined, clock: Clock, gate: Gate) => {
  const kept = new Map<string, Kept>()

  const openSide: Ports['openSide'] = (connection, flow, name, signal) => async () => {
    const side = name === 'source' ? flow.source : flow.destination
    const connector = connectors.get(side.provider)
    if (connector === undefined) return E.left({ is: 'needs-person', message: `unknown provider "${side.provider}"`, mend: `use one of: ${[...connectors.keys()].sort().join(', ')}` })
    const slot = `${connection.id}/${flow.id}/${name}`
    const shape = shapeOf(flow, name)
    const { provider, ...options } = side
    const account = connector.account?.({ options, kind: flow.kind, secret })
    const [aroundOpen, around] = account === undefined ? [ungated, ungated] : [gated({ provider, account }, signal, 'unknown'), gated({ provider, account }, signal, 'answered')]
    const idle = kept.get(slot)
    kept.delete(slot)
    if (idle?.shape === shape) return E.right(lent(slot, shape, idle.side, around))
    if (idle !== undefined) await idle.side.close()
    const fields = flow.fields === undefined ? undefined : name === 'source' ? Object.values(flow.fields) : Object.keys(flow.fields)
    const opened = await aroundOpen(connector.open({
      options, kind: flow.kind, role: name, connection: connection.id, flow: flow.id, secret, signal, ...(fields === undefined ? {} : { fields }),
      ...(account === undefined ? {} : { meter: gate.meter({ provider, account }, connection.id) }),
    }))()
    return E.isLeft(opened) ? opened : E.right(lent(slot, shape, opened.right, around))
  }

  /**
   * Nobody calls an account that is to be left in peace, and how each call went is told to all. `good`: what a call that
   * went well says. Opening says nothing: not every connector asks the provider for it.
   */
  const gated = (account: Account, signal: AbortSignal, good: 'answered' | 'unknown'): Around => (call, worst) => async () => {
    const admission = await gate.admit(account)
    if (admission.is === 'later') return E.left(admission.failure)
    const answer = await call()
    const failure = E.isLeft(answer) ? answer.left : worst?.(answer.right)
    // Nor does a call that we cut short
    const worse = await gate.report(admission.pass, failure === undefined ? { is: good } : signal.aborted ? { is: 'unknown' } : outcomeOf(failure))
    return worse !== undefined && E.isLeft(answer) ? E.left({ ...worse, message: `${worse.message} (${answer.left.message})` }) : answer
  }

  /** The side as a run sees it: closing hands it back, unless a call on it failed. */
  const lent = (slot: string, shape: string, side: Side, around: Around): Side => {
    let broken = false
    const watched: Around = (call, worst) => async () => {
      const answer = await around(call, worst)()
      if (E.isLeft(answer)) broken = true
      return answer
    }
    return {
      ...guardedSide(side, watched),
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

/** Asked for in every run, and a flow does not change: an applied change comes as another document. */
const shapes: Readonly<Record<SideName, WeakMap<Flow, string>>> = { source: new WeakMap(), destination: new WeakMap() }

const shapeOf = (flow: Flow, name: SideName): string => {
  const known = shapes[name].get(flow)
  if (known !== undefined) return known
  const fresh = canonicalJson(JSON.parse(JSON.stringify([name === 'source' ? flow.source : flow.destination, flow.fields ?? null, flow.kind])) as Json)
  shapes[name].set(flow, fresh)
  return fresh
}

/** A local provider. */
const ungated: Around = (call) => call
