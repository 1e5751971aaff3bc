/** What the rig's connection remembers, read straight from where it stands. */
import type { Link } from '#libs/domain/link.ts'
import { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { ok, type World } from './world.ts'

export const conn = ok(ConnectionId.decode('c1'))
export const flow = ok(FlowId.decode('main'))

export const linksOf = async ({ rig, setup }: World): Promise<ReadonlyArray<Link>> => {
  if (setup.way === 'streamed') return [...rig.b.ledgers.values()].flatMap(({ links }) => [...links.values()])
  const checkpoint = ok(await rig.state.readCheckpoint(conn, flow)())
  if (checkpoint === null) return []
  const pages = ok(await rig.state.readPages(conn, flow, Array.from({ length: checkpoint.value.pages }, (_, n) => n))())
  return [...pages.values()].flatMap(({ value }) => Object.values(value.links))
}
