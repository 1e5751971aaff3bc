/**
 * I5: the engine deletes an item on one side only after somebody deleted it on the other, once the flow has a base; and never
 * while the other side was seen to show it again.
 */
import type { Remote } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import { isSeenThere, otherSide, type Change, type Story } from './story.ts'

const reads = new Set<Remote['verb']>(['LIST', 'DELTA'])

const judge = (story: Story): Found => {
  const violations: Array<Violation> = []
  const looks = story.all('remote').filter(({ verb, by }) => reads.has(verb) && by === 'provider')
  const deletes = story.all('remote').filter((remote) => remote.verb === 'DELETE' && remote.applied && isSeenThere(remote) && remote.key !== undefined)
  for (const remove of deletes) {
    const message = whyNot(story, looks, remove)
    if (message !== undefined) violations.push(message)
  }
  return { checked: deletes.length, violations }
}

const whyNot = (story: Story, looks: ReadonlyArray<Remote>, remove: Remote): Violation | undefined => {
  const { conn, side, at, key = '' } = remove
  const other = otherSide(side)
  const says = `${key} of ${conn} was deleted at side ${side}`
  const connection = story.connection(conn)
  if (connection?.direction === 'one-way' && side === 'A') return { message: `${says}, the source of a one-way flow`, trace: [connection, remove] }
  const before = story.changes(conn, other, key).filter((change) => change.at <= at)
  const gone = before.findLast(({ value }) => value === null)
  if (gone === undefined) return { message: `${says}, although nobody had deleted it at side ${other}`, trace: [...before.slice(-1).map(({ record }) => record), remove] }
  const again = backSince(before, gone)
  // Its own look: a request of a worker that was overtaken may land after another one has looked.
  const look = looks.findLast((one) => one.conn === conn && one.side === other && one.worker === remove.worker && one.at < at)
  if (again !== undefined && look !== undefined && look.at > endOf(again)) {
    return { message: `${says}, although side ${other} showed it again when it was read last`, trace: [gone.record, again.record, look, remove] }
  }
  const base = story.publishes(conn).filter(({ record }) => record === 'checkpoint')
  const [first] = base
  if (first !== undefined && story.wall(first.storedAt) > at + clockMs && first.checkpoint?.phase !== undefined) {
    return { message: `${says} before the first checkpoint of the flow: there was no base`, trace: [remove, first] }
  }
  return undefined
}

/** Stamps of a server are whole ms. */
const clockMs = 50

const backSince = (changes: ReadonlyArray<Change>, gone: Change): Change | undefined =>
  changes.findLast((change) => change.at > endOf(gone) && change.value !== null && change.isSure)

const endOf = ({ record }: Change): number => (record.is === 'op' ? record.to : record.at)

export const deletes: Invariant = { name: 'I5', says: 'no delete without a reason', judge }
