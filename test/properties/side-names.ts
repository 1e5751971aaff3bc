/** The two sides of a connection. */
export type SideName = 'source' | 'destination'
export const sideNames = ['source', 'destination'] as const
export const otherSide = (side: SideName): SideName => (side === 'source' ? 'destination' : 'source')
