/** Knows that a person decides: neither side is written until then. SYNC.md §A.3, column H. */
import type { Strategy } from '../conflict.ts'

export const manual: Strategy = () => ({ take: 'hold', rule: 'manual' })
