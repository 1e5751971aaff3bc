/** What the rig's connection remembers, read straight from where it stands. */
import type { LedgerPage } from '#libs/contracts/state.ts'
import { stateKeys } from '#libs/contracts/subjects.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { E } from '#libs/fp.ts'
import type { Remembered } from './commits.ts'
import type { World } from './world.ts'

const ok = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}

export const conn = ok(ConnectionId.decode('c1'))
export const flow = ok(FlowId.decode('main'))

export const rememberedBy = ({ rig, setup }: Pick<World, 'rig' | 'setup'>): Remembered => {
  const [ledger] = rig.b.ledgers.values()
  const beside = { checkpoint: ledger?.checkpoint ?? null, links: [...(ledger?.links.values() ?? [])] }
  if (setup.way === 'streamed') return beside
  const checkpoint = rig.state.peek(stateKeys.checkpoint(conn, flow)) as Checkpoint | undefined
  // Begun while the destination could not be written: it stays in KV, where otherwise only a note of the accounts is.
  if (setup.way === 'beside' && (checkpoint === undefined || (checkpoint.phase === 'first' && checkpoint.links === 0))) return beside
  if (checkpoint === undefined) return { checkpoint: null, links: [] }
  const pages = Array.from({ length: checkpoint.pages }, (_, n) => rig.state.peek(stateKeys.page(conn, flow, n)) as LedgerPage | undefined)
  return { checkpoint, links: pages.flatMap((page) => Object.values(page?.links ?? {})) }
}

export const linksOf = (world: Pick<World, 'rig' | 'setup'>): ReadonlyArray<Link> => rememberedBy(world).links
