/** I3: in the end both sides show the same of every item that is not set aside. */
import type { Found, Invariant, Violation } from './invariant.ts'
import { setAsideIn } from './set-aside.ts'
import type { Story } from './story.ts'

const judge = (story: Story): Found => {
  const isAside = setAsideIn(story)
  const violations: Array<Violation> = []
  let checked = 0
  const items = new Map(story.all('final').map(({ conn, key }) => [`${conn}/${key}`, { conn, key }]))
  for (const { conn, key } of items.values()) {
    if (!story.isDumped(conn, 'A') || !story.isDumped(conn, 'B') || isAside(conn, key)) continue
    if (story.connection(conn)?.direction === 'one-way' && isDrifted(story, conn, key)) continue
    checked++
    const [a, b] = [story.finals(conn, 'A', key), story.finals(conn, 'B', key)]
    if (a.length > 0 && b.length > 0 && a[0]?.value === b[0]?.value) continue
    violations.push({ message: `${key} of ${conn} is ${shown(a)} on side A and ${shown(b)} on side B`, trace: [...a, ...b, ...latest(story, conn, key)] })
  }
  return { checked, violations }
}

/** A client touched the destination of a one-way flow: what stands there then is nobody's promise. */
const isDrifted = (story: Story, conn: string, key: string): boolean => story.changes(conn, 'B', key).some(({ by }) => by === 'client')

const shown = (finals: ReadonlyArray<{ readonly value: string | null }>): string => (finals.length === 0 ? 'not there' : finals.map(({ value }) => String(value)).join(' and '))

const latest = (story: Story, conn: string, key: string) =>
  (['A', 'B'] as const).flatMap((side) => story.changes(conn, side, key).slice(-1).map(({ record }) => record))

export const convergence: Invariant = { name: 'I3', says: 'both sides end equal', judge }
