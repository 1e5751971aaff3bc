/**
 * I1: what a client was told is stored is there in the end, or a later op replaced it knowingly, or it lost a conflict and is
 * in the archive. Ops of unknown outcome may be either, and are not judged. An engine that brought a value over
 * and then puts back the one which its client had replaced undoes that write, archive or not: no strategy of a two-way flow
 * says so.
 */
import type { Op } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import { otherSide, type Story } from './story.ts'

const judge = (story: Story): Found => {
  const archived = new Set(story.all('archived').map(({ conn, value }) => `${conn}/${value}`))
  const replaced = replacements(story)
  const violations: Array<Violation> = []
  let checked = 0
  for (const op of story.all('op')) {
    if (op.result !== 'ok' || op.value === null) continue
    if (!story.isDumped(op.conn, op.side) || !story.isDumped(op.conn, otherSide(op.side))) continue
    checked++
    if (isFinal(story, op) || archived.has(`${op.conn}/${op.value}`) || replaced(op)) continue
    // An archive that went back in time with its store proves nothing.
    const lost = lostBy(story, op)
    if (lost.some(({ at }) => story.disturbed(at, Infinity, /rollback/))) continue
    violations.push({
      message: `${op.value} was acknowledged for ${op.key} of ${op.conn} at side ${op.side}, and is neither there, nor replaced by who saw it, nor in the archive`,
      trace: [op, ...lost, ...story.finals(op.conn, 'A', op.key), ...story.finals(op.conn, 'B', op.key)],
    })
  }
  const putBack = undone(story)
  return { checked: checked + putBack.checked, violations: [...violations, ...putBack.violations] }
}

const undone = (story: Story): Found => {
  const ops = new Map(story.all('op').map((op) => [`${op.conn}/${op.key}/${op.value}`, op]))
  const updates = story.all('remote').filter((remote) => remote.verb === 'UPDATE' && remote.applied && typeof remote.was === 'string' && story.connection(remote.conn)?.direction === 'two-way')
  const violations = updates.flatMap((update): ReadonlyArray<Violation> => {
    const op = ops.get(`${update.conn}/${update.key}/${update.was}`)
    if (op === undefined || op.side === update.side || op.before !== update.value || op.before === null) return []
    return [{ message: `${op.value} of ${op.key} of ${op.conn} was put back at side ${update.side} to ${op.before}, which its client had replaced`, trace: [op, update] }]
  })
  return { checked: updates.length, violations }
}

const isFinal = (story: Story, { conn, key, value }: Op): boolean =>
  (['A', 'B'] as const).some((side) => story.finals(conn, side, key).some((final) => final.value === value))

/** Replaced or deleted by a client who saw it, or by one who did not look and came next on that side. */
const replacements = (story: Story) => {
  const seen = new Set<string>()
  for (const op of story.all('op')) if (op.result !== 'fail' && typeof op.before === 'string') seen.add(`${op.conn}/${op.key}/${op.before}`)
  return ({ conn, side, key, value, at }: Op): boolean => {
    if (seen.has(`${conn}/${key}/${value}`)) return true
    const next = story.changes(conn, side, key).find((change) => change.at > at)
    return next?.record.is === 'op' && next.record.before === undefined
  }
}

const lostBy = (story: Story, { conn, key, value }: Op) =>
  story.all('remote').filter((remote) => remote.conn === conn && remote.key === key && remote.was === value && remote.applied).slice(0, 2)

export const ackedWrites: Invariant = { name: 'I1', says: 'no acknowledged write is lost', judge }
