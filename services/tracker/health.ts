/** Knows when the tracker may call itself healthy: it hears NATS, and its consumers are there (R 11.6). Does not know how they are asked. */
import type { E } from '#libs/fp.ts'
import type { Trouble } from './ports.ts'
import { describe } from './refusals.ts'

export type Health = {
  readonly status: 'ok' | 'unavailable'
  readonly nats: { readonly connected: boolean }
  readonly consumers: ReadonlyArray<{ readonly name: string; readonly pending: number | null; readonly in_hand: number | null }>
  readonly connections: number
  /** What is wrong and what to do about it; empty when all is well. */
  readonly problems: ReadonlyArray<string>
}

export type HealthPorts = {
  readonly isConnected: () => boolean
  readonly consumers: ReadonlyArray<{ readonly name: string; readonly isRunning: () => boolean; readonly look: () => Promise<E.Either<Trouble, { readonly pending: number; readonly inHand: number }>> }>
  readonly connections: () => number
  readonly isWatching: () => boolean
}

export const healthOf = async (ports: HealthPorts): Promise<Health> => {
  const connected = ports.isConnected()
  const problems: Array<string> = []
  if (!connected) problems.push('not connected to NATS: is the server up, and does NATS_URL name it?')
  if (!ports.isWatching()) problems.push('the connections have not been read yet')
  const consumers = await Promise.all(ports.consumers.map(async ({ name, isRunning, look }) => {
    if (!isRunning()) problems.push(`consumer ${name} is not being read: the service is stopping`)
    if (!connected) return { name, pending: null, in_hand: null }
    const looked = await look()
    if (looked._tag === 'Right') return { name, pending: looked.right.pending, in_hand: looked.right.inHand }
    problems.push(`consumer ${name}: ${describe(looked.left)}; \`syncline provision\` creates what is missing`)
    return { name, pending: null, in_hand: null }
  }))
  return { status: problems.length === 0 ? 'ok' : 'unavailable', nats: { connected }, consumers, connections: ports.connections(), problems }
}
