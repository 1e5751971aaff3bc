/**
 * I6: state commits carry fences that never go back, each under the lease that stood when it was stored and conditional on
 * it; cursors of one run do not go back; the same for the sidecars of PostgreSQL destinations.
 */
import type { Publish, Sidecar } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import type { Story } from './story.ts'

const judge = (story: Story): Found => {
  const violations: Array<Violation> = []
  let checked = 0
  for (const conn of new Set(story.all('publish').map(({ conn: one }) => one))) {
    const found = judgeStream(story, story.publishes(conn))
    checked += found.checked
    violations.push(...found.violations)
  }
  for (const [, rows] of Map.groupBy(story.all('sidecar'), ({ conn, flow }) => `${conn}/${flow}`)) {
    checked += rows.length
    violations.push(...judgeSidecar([...rows].sort((x, y) => x.order - y.order)))
  }
  return { checked, violations }
}

/** The state of one connection, in stream order. */
const judgeStream = (story: Story, publishes: ReadonlyArray<Publish>): Found => {
  const violations: Array<Violation> = []
  let checked = 0
  let highest: Publish | undefined
  let lease: Publish | undefined
  /** Of the holder; none while it is free. A lost answer is made sure of by writing once more, so a fence may be a later one. */
  let taken: { readonly nonce: string; readonly revisions: ReadonlyArray<number> } | undefined
  let heardUpTo = story.all('publish').reduce((least, { seq }) => Math.min(least, seq), Infinity) - 1
  const heard = new Set(story.all('publish').map(({ seq }) => seq))
  const isWhole = (from: number, to: number): boolean => {
    for (let seq = from + 1; seq < to; seq++) if (!heard.has(seq)) return false
    return true
  }
  for (const [i, publish] of publishes.entries()) {
    if (publish.seq <= heardUpTo) [highest, lease, taken] = [undefined, undefined, undefined] // the store went back in time
    heardUpTo = publish.seq
    if (publish.record === 'lease') {
      if (publish.lease === undefined || publish.lease.free) taken = undefined
      else taken = { nonce: publish.lease.nonce, revisions: [...(taken?.nonce === publish.lease.nonce ? taken.revisions : []), publish.seq] }
      lease = publish
      continue
    }
    if (publish.record === 'page') {
      if (!publish.deleted && !isConditional(publishes, i)) violations.push({ message: `page ${publish.key} was stored whoever held the lease`, trace: [publish] })
      continue
    }
    const { checkpoint } = publish
    if (checkpoint === undefined) continue
    checked++
    if (highest?.checkpoint !== undefined && checkpoint.fence < highest.checkpoint.fence) {
      violations.push({ message: `a checkpoint of ${publish.conn} with fence ${checkpoint.fence} was accepted after one with ${highest.checkpoint.fence}`, trace: [highest, publish] })
    } else if (lease !== undefined && isWhole(lease.seq, publish.seq) && taken?.revisions.includes(checkpoint.fence) !== true && !isOld(lease, checkpoint.fence)) {
      violations.push({ message: `a checkpoint of ${publish.conn} with fence ${checkpoint.fence} was accepted while the lease was ${taken === undefined ? 'free' : `held with fence ${taken.revisions[0]}`}`, trace: [lease, publish] })
    }
    if (!isConditional(publishes, i)) violations.push({ message: `the checkpoint of ${publish.conn} was stored whoever held the lease`, trace: [publish] })
    if (highest?.checkpoint?.fence === checkpoint.fence && highest.checkpoint.run === checkpoint.run) {
      for (const name of ['cursorA', 'cursorB'] as const) {
        const [before, after] = [placeIn(highest.checkpoint[name]), placeIn(checkpoint[name])]
        if (before !== undefined && after?.era === before.era && after.place < before.place) violations.push({ message: `${name} of ${publish.conn} went back inside one run`, trace: [highest, publish] })
      }
    }
    if (checkpoint.fence >= (highest?.checkpoint?.fence ?? 0)) highest = publish
  }
  return { checked, violations }
}

/** The acquisition was before the record begins. */
const isOld = (lease: Publish, fence: number): boolean => lease.lease !== undefined && fence < lease.seq && lease.lease.n > 0

const expected = { seq: 'Nats-Expected-Last-Subject-Sequence', subject: 'Nats-Expected-Last-Subject-Sequence-Subject', batch: 'Nats-Batch-Id' } as const

/** By its own header, or in one batch with a renewal of the lease that is. */
const isConditional = (publishes: ReadonlyArray<Publish>, place: number): boolean => {
  const headers = publishes[place]?.headers ?? {}
  if (headers[expected.subject]?.includes('.lease.') === true) return Number(headers[expected.seq]) > 0
  const batch = headers[expected.batch]
  let next = place + 1
  while (next < publishes.length && publishes[next]?.record !== 'lease') next++
  const last = batch === undefined ? undefined : publishes[next]
  // A batch that was heard in part proves nothing.
  if (batch !== undefined && last?.headers[expected.batch] !== batch) return true
  return Number(last?.headers[expected.seq]) > 0
}

/** Of the sandbox's tokens; other cursors have no order that is known here. */
const placeIn = (cursor: string | null): { readonly era: string; readonly place: number } | undefined => {
  const [, era, place] = /^s\.(\d+)\.(\d+)$/.exec(cursor ?? '') ?? []
  return era === undefined || place === undefined ? undefined : { era, place: Number(place) }
}

const judgeSidecar = (rows: ReadonlyArray<Sidecar>): ReadonlyArray<Violation> => {
  const violations: Array<Violation> = []
  let highest: Sidecar | undefined
  for (const row of rows) {
    if (highest !== undefined && row.fence < highest.fence) violations.push({ message: `the sidecar of ${row.conn}/${row.flow} went from fence ${highest.fence} back to ${row.fence}`, trace: [highest, row] })
    else highest = row
  }
  return violations
}

export const fencing: Invariant = { name: 'I6', says: 'nobody commits without the lease', judge }
