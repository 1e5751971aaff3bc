/** The kinds of connections that are tried: way, strategy, and the habits of the two sides. */
import fc from 'fast-check'
import type { MemoryOptions } from '#libs/connectors/memory/options.ts'

/** `beside`: two-way, with links and checkpoint beside the items of the destination. */
export type Way = 'two-way' | 'beside' | 'spooled' | 'streamed'

export const isTwoWay = ({ way }: Pick<Setup, 'way'>): boolean => way === 'two-way' || way === 'beside'

export type Setup = {
  readonly way: Way
  readonly strategy: 'source-wins' | 'destination-wins' | 'newest-wins' | 'merge' | 'manual'
  readonly tie: 'source' | 'destination'
  readonly deleteWins: boolean
  readonly drift: 'ignore' | 'reassert'
  readonly readOnly?: 'error' | 'ignore' | 'revert'
  readonly a: MemoryOptions
  readonly b: MemoryOptions
  /** A side shows what was written to it only after so long (T36). */
  readonly lateMs?: number
  /** Rows, gone through page by page where a side shows more changes than this. */
  readonly pairedAbove?: number
}

const habits: fc.Arbitrary<MemoryOptions> = fc.record({
  versions: fc.constantFrom('stable' as const, 'stable' as const, 'stable' as const, 'flaky' as const, 'none' as const),
  silentWrites: fc.boolean(),
  delta: fc.boolean(),
  seenOnly: fc.boolean(),
  resumableListing: fc.boolean(),
  pageSize: fc.constantFrom(1, 2, 100),
  batchSize: fc.constantFrom(1, 3, 100),
})

export const setups = (way?: Way): fc.Arbitrary<Setup> => fc.record({
  way: way === undefined ? fc.constantFrom<Way>('two-way', 'two-way', 'spooled', 'streamed') : fc.constant(way),
  strategy: fc.constantFrom('source-wins', 'destination-wins', 'newest-wins', 'merge', 'manual'),
  tie: fc.constantFrom('source', 'destination'),
  deleteWins: fc.boolean(),
  drift: fc.constantFrom('ignore', 'reassert'),
  readOnly: fc.constantFrom('error', 'ignore', 'revert'),
  a: habits,
  b: habits,
})

/** Small pages, so that there are several. */
export const pairedSetups: fc.Arbitrary<Setup> = fc.tuple(setups('beside'), fc.constantFrom(0, 0, 1, 3)).map(([setup, pairedAbove]) => ({
  ...setup, pairedAbove, a: { ...setup.a, idsAreKeys: true }, b: { ...setup.b, idsAreKeys: true },
}))

/** Sides that are listed on every run, and show our own writes only after a minute. */
export const lateSetups: fc.Arbitrary<Setup> = setups('two-way').map((setup) => ({
  ...setup,
  readOnly: 'error',
  lateMs: 60_000,
  a: { ...setup.a, delta: false, versions: 'stable', silentWrites: false },
  b: { ...setup.b, delta: false, versions: 'stable', silentWrites: false },
}))
