/**
 * Knows how the rows a database refuses are found among those it takes, in few attempts: the longest prefix it takes is
 * searched by halving, so one poison row in 200 costs nine attempts more (T66). Does not know SQL.
 */
import { E } from '../../fp.ts'

/** Applies the rows [from, to), all or none of them. Left: at least one of them is at fault. */
export type Attempt<F> = (from: number, to: number) => Promise<E.Either<F, void>>

/** From here on poison is no accident: longer stretches are not hoped for any more. */
const fewPoison = 3

/**
 * Answers why each refused row was refused; every other row is applied. `known`: why all of them together are refused,
 * when that was tried already.
 */
export const bisect = async <F>(count: number, attempt: Attempt<F>, known?: F): Promise<ReadonlyMap<number, F>> => {
  const refused = new Map<number, F>()
  let why = known
  let from = 0
  let stretch = count
  while (from < count) {
    const end = Math.min(count, from + stretch)
    if (why === undefined) {
      const tried = await attempt(from, end)
      if (E.isRight(tried)) {
        from = end
        stretch = Math.min(count, stretch * 2)
        continue
      }
      why = tried.left
    }
    // One of [low, high) is at fault; what lies before `low` is applied.
    let [low, high] = [from, end]
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2)
      const tried = await attempt(low, middle)
      if (E.isRight(tried)) low = middle
      else [high, why] = [middle, tried.left]
    }
    refused.set(low, why)
    why = undefined
    from = low + 1
    stretch = refused.size < fewPoison ? count : Math.max(1, Math.ceil((2 * from) / refused.size) - 2)
  }
  return refused
}
