/** Knows the things used most recently, up to a limit. Does not know what they are. */
export type Recent<A> = {
  readonly get: (key: string) => A | undefined
  readonly set: (key: string, value: A) => void
  readonly forget: (key: string) => void
}

export const recent = <A>(limit: number): Recent<A> => {
  const kept = new Map<string, A>() // a Map remembers the order of insertion: the first is the one unused for longest
  return {
    get: (key) => {
      const value = kept.get(key)
      if (value !== undefined) {
        kept.delete(key)
        kept.set(key, value)
      }
      return value
    },
    set: (key, value) => {
      kept.delete(key)
      kept.set(key, value)
      if (kept.size > limit) {
        const [oldest] = kept.keys()
        if (oldest !== undefined) kept.delete(oldest)
      }
    },
    forget: (key) => void kept.delete(key),
  }
}
