/** Knows chance that can be had again: one seed, one sequence. Pure but for its own place in the sequence. */
export type Chance = {
  /** In [0, 1). */
  readonly next: () => number
  /** Whole number, both ends included. */
  readonly between: (from: number, to: number) => number
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  /** Another sequence, told by the seed and the name only: what one part of a run asks does not move another. */
  readonly fork: (name: string) => Chance
}

/** mulberry32: 32 bits of state are plenty for a schedule. */
export const chanceOf = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    between,
    pick: (from) => {
      const one = from[between(0, from.length - 1)]
      if (one === undefined) throw new Error('nothing to pick from')
      return one
    },
    fork: (name) => chanceOf(Buffer.from(name).reduce((sum, byte) => Math.imul(sum, 31) + byte, seed ^ 0x9e3779b9)),
  }
}
