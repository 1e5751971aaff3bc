/**
 * I8: when a checkpoint is stored, everything its cursors passed is at the other side, or set aside. For sandbox sources, whose
 * own record tells when a cursor was given; each client op is judged at the first checkpoint that passed it.
 */
import type { Op, Publish, Remote, Sidecar, SideName } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import { setAsideIn } from './set-aside.ts'
import { otherSide, type Change, type Story } from './story.ts'

const judge = (story: Story): Found => {
  const isAside = setAsideIn(story)
  const violations: Array<Violation> = []
  let checked = 0
  for (const { conn, direction, strategy, A, B } of story.all('connection')) {
    if (strategy === 'manual') continue
    for (const side of ['A', 'B'] as const) {
      const [from, to] = side === 'A' ? [A, B] : [B, A]
      if (from.kind !== 'sandbox' || (to.kind !== 'sandbox' && to.kind !== 'postgres') || (side === 'B' && direction === 'one-way')) continue
      const passes = passesOf(story, conn, side)
      for (const op of story.all('op')) {
        if (op.conn !== conn || op.side !== side || op.result !== 'ok' || isAside(conn, op.key)) continue
        const pass = passes.find(({ readAt }) => readAt > op.to)
        if (pass === undefined || !isPlain(story, op, pass.storedAt + slackMs)) continue
        checked++
        const there = story.changes(conn, otherSide(side), op.key).filter(({ at }) => at <= pass.storedAt + slackMs)
        if (cameOver(op, there)) continue
        violations.push({
          message: `the cursor of side ${side} of ${conn} passed ${op.value ?? 'the deletion'} of ${op.key}, which was not at side ${otherSide(side)} then`,
          trace: [op, pass.look, pass.checkpoint, ...there.slice(-1).map(({ record }) => record)],
        })
      }
    }
  }
  return { checked, violations }
}

/** What came later is another matter. What never was at the other side is not there: as it should be after a deletion. */
const cameOver = ({ value, at }: Op, there: ReadonlyArray<Change>): boolean =>
  there.some((change) => change.at >= at && change.value === value) || (there.at(-1)?.value ?? null) === value

/** Stamps of a server are whole ms of another clock. */
const slackMs = 50

type Pass = { readonly readAt: number; readonly storedAt: number; readonly look: Remote; readonly checkpoint: Publish | Sidecar }

/** When each cursor that was stored had been read, oldest first. */
const passesOf = (story: Story, conn: string, side: SideName): ReadonlyArray<Pass> => {
  const looks = story.all('remote').filter((remote) => remote.conn === conn && remote.side === side && remote.by === 'provider' && remote.answered !== undefined)
  const passes: Array<Pass> = []
  for (const { checkpoint, cursor, storedAt } of [...storedInNats(story, conn, side), ...(side === 'A' ? storedBesideTheData(story, conn) : [])]) {
    const last = cursor === undefined || cursor === null ? undefined : looks.find(({ answered }) => answered?.cursor === cursor && answered.last)
    const look = last === undefined ? undefined : firstPageOf(looks, last)
    if (look !== undefined && look.at <= storedAt + slackMs) passes.push({ readAt: look.at, storedAt, look, checkpoint })
  }
  return passes
}

type StoredCursor = { readonly checkpoint: Publish | Sidecar; readonly cursor: string | null | undefined; readonly storedAt: number }

const storedInNats = (story: Story, conn: string, side: SideName): ReadonlyArray<StoredCursor> =>
  story.publishes(conn).map((publish) => ({ checkpoint: publish, cursor: publish.checkpoint?.[side === 'A' ? 'cursorA' : 'cursorB'], storedAt: story.wall(publish.storedAt) }))

const storedBesideTheData = (story: Story, conn: string): ReadonlyArray<StoredCursor> =>
  story.all('sidecar').filter((one) => one.conn === conn).map((sidecar) => ({ checkpoint: sidecar, cursor: sidecar.cursor, storedAt: sidecar.at }))

/** What was changed while the pages were read is behind the cursor only if it was before the first of them. */
const firstPageOf = (looks: ReadonlyArray<Remote>, last: Remote): Remote => {
  let page = last
  for (let asked = page.cursor; typeof asked === 'string' && /^[dl]\./.test(asked); asked = page.cursor) {
    const before = looks.findLast(({ answered, at }) => answered?.cursor === asked && at < page.at)
    if (before === undefined) return page
    page = before
  }
  return page
}

/** Nothing else happened to the item meanwhile, on either side: no conflict to settle, no later edit that hides it. */
const isPlain = (story: Story, op: Op, until: number): boolean => {
  const later = story.changes(op.conn, op.side, op.key).filter(({ record, at }) => record !== op && at >= op.at && at <= until)
  const across = story.changes(op.conn, otherSide(op.side), op.key)
  const lastHere = story.changes(op.conn, op.side, op.key).findLast(({ at }) => at < op.at)
  const rivals = across.filter(({ by, at }) => by === 'client' && at > (lastHere?.at ?? -Infinity) && at <= until)
  // Where nothing was there nothing was deleted.
  if (op.value === null && op.before === null) return false
  // A deletion is only ours to follow where the item had come over.
  if (op.value === null && !across.some(({ value, at }) => value !== null && at < op.at)) return false
  return later.length === 0 && rivals.length === 0
}

export const cursors: Invariant = { name: 'I8', says: 'the cursor passes nothing that is not done', judge }
