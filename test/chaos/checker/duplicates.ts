/**
 * I2: one identity is one item on a side; it is created once for every time it was not there; and what a side shows already
 * is not written to it again.
 */
import type { Remote } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import { isSeenThere, type Story } from './story.ts'

const judge = (story: Story): Found => {
  const violations: Array<Violation> = []
  const finals = Map.groupBy(story.all('final'), ({ conn, side, key }) => `${conn}/${side}/${key}`)
  for (const [, same] of finals) {
    const [first] = same
    if (same.length > 1 && first !== undefined && !isTwinned(story, first.conn, first.key)) violations.push({ message: `${first.key} of ${first.conn} stands ${same.length} times on side ${first.side}`, trace: same })
  }
  const applied = story.all('remote').filter((remote) => remote.applied && isSeenThere(remote) && remote.key !== undefined)
  const creates = applied.filter(({ verb }) => verb === 'CREATE')
  for (const [, same] of Map.groupBy(creates, ({ conn, side, key }) => `${conn}/${side}/${key}`)) violations.push(...tooMany(story, same))
  const updates = applied.filter(({ verb, conn }) => verb === 'UPDATE' && story.connection(conn)?.strategy !== 'merge')
  for (const update of updates) {
    if (typeof update.was !== 'string' || update.was !== update.value) continue
    violations.push({ message: `${update.key} of ${update.conn} was written to side ${update.side}, which showed ${update.value} already`, trace: [update] })
  }
  return { checked: finals.size + creates.length + updates.length, violations }
}

/** The rig itself made a second one. */
const isTwinned = (story: Story, conn: string, key: string): boolean => story.all('poison').some((poison) => poison.conn === conn && poison.key === key)

const tooMany = (story: Story, creates: ReadonlyArray<Remote>): ReadonlyArray<Violation> => {
  const [first] = creates
  if (first?.key === undefined) return []
  const gone = story.changes(first.conn, first.side, first.key).filter(({ value }) => value === null).map(({ record }) => record)
  if (creates.length <= 1 + gone.length) return []
  return [{ message: `${first.key} of ${first.conn} was created ${creates.length} times on side ${first.side}, and went away ${gone.length} times`, trace: [...creates, ...gone] }]
}

export const duplicates: Invariant = { name: 'I2', says: 'nothing is doubled', judge }
