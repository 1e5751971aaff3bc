/** Knows which known word a mistyped one was probably meant to be. */

/** The nearest of `known` by edits (letters added, left out, changed, swapped); undefined when none is near. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let bestEdits = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const most = Math.max(1, Math.floor(Math.min(word.length, candidate.length) / 3))
    const edits = editsBetween(plain(word), plain(candidate), most)
    if (edits <= most && edits < bestEdits) [best, bestEdits] = [candidate, edits]
  }
  return best
}

const plain = (word: string): string => word.slice(0, 64).toLowerCase().replace(/[-_]/g, '')

/** Optimal string alignment; gives up above `limit`. */
const editsBetween = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: ReadonlyArray<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1])
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, isSwap ? (before[j - 2] ?? 0) + 1 : limit + 1))
    }
    before = last
    last = row
  }
  return last[b.length] ?? limit + 1
}
