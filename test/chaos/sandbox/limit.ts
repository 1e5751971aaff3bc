/** Knows how many requests of the engine a collection takes in a time, and what one more is told. Times in ms. */
import type { Fault } from './fault.ts'

export type Limit = { readonly calls: number; readonly windowMs: number }

/** Windows are fixed, and begin with the first request in them. */
export const allowance = () => {
  let limit: Limit | undefined
  const windows = new Map<string, { readonly from: number; taken: number }>()
  return {
    set: (next: Limit | undefined): void => {
      limit = next
      windows.clear()
    },
    refusal: (collection: string, at: number): Fault | undefined => {
      if (limit === undefined) return undefined
      const known = windows.get(collection)
      const window = known === undefined || at >= known.from + limit.windowMs ? { from: at, taken: 0 } : known
      windows.set(collection, window)
      window.taken += 1
      return window.taken <= limit.calls ? undefined : { do: '429', retryAfterS: Math.ceil((window.from + limit.windowMs - at) / 1_000) }
    },
  }
}
