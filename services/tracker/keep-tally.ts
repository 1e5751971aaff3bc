/**
 * Knows how the statistics of one connection are written, and which runs wait in its status before they are. Does not know
 * how a run is counted: tally.ts does.
 */
import type { QuietRun, Stats, Status } from '#libs/contracts/status.ts'
import { E } from '#libs/fp.ts'
import type { Kept, Shelf, Trouble } from './ports.ts'
import { quietRunOf } from './tally.ts'
import type { Heard } from './turn.ts'

/** Quiet runs that wait in a status at most: far fewer than the names that the statistics remember, so none is counted twice. */
export const mostUncounted = 8

/** A quiet run that is heard for the first time waits; any other is counted at once. */
export const waitsIn = ({ result, standing }: Heard): ReadonlyArray<QuietRun> => {
  const quiet = standing === 'new' ? quietRunOf(result) : undefined
  return quiet === undefined ? [] : [quiet]
}

/** The very same status when it changes nothing. */
export const waitingFor = (status: Status, runs: ReadonlyArray<QuietRun>): Status => {
  const { uncounted = [], ...rest } = status
  if (runs.length === uncounted.length) return status // they are only ever added, or all taken over
  return runs.length === 0 ? rest : { ...rest, uncounted: [...runs] }
}

/** Trackers beside us may win a race; losing this many in a row means that something else is wrong. */
const attempts = 10

/** A race lost here is run again on its own: the status stands, and must not be folded twice. */
export const keepTally = async (
  shelf: Shelf<Stats>, conn: string, add: (tally: Stats | undefined) => Stats | undefined, guess: Kept<Stats> | undefined,
): Promise<E.Either<Trouble, Kept<Stats>>> => {
  let kept = guess
  for (let attempt = 1; ; attempt++) {
    if (kept === undefined) {
      const read = await shelf.read(conn)()
      if (read._tag === 'Left') return read
      kept = read.right
    }
    const next = add(kept.value)
    if (next === undefined || next === kept.value) return E.right(kept)
    const written = await shelf.write(conn, next, kept.revision)()
    if (written._tag === 'Right') return E.right({ value: next, revision: written.right })
    if (written.left.is !== 'lost-race' || attempt >= attempts) return written
    kept = undefined
  }
}
