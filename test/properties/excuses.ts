/** Counts how often each check was made, and how often it was waived and why: a check that is mostly waived proves nothing. */

export type Tally = Map<string, { made: number; readonly waived: Map<string, number> }>

export type Excuses = {
  /** True when there is a reason not to hold the engine to it. */
  readonly waives: (check: string, why: string | undefined) => boolean
}

export const excusesInto = (tally: Tally): Excuses => ({
  waives: (check, why) => {
    const counted = tally.get(check) ?? { made: 0, waived: new Map<string, number>() }
    tally.set(check, counted)
    counted.made++
    if (why !== undefined) counted.waived.set(why, (counted.waived.get(why) ?? 0) + 1)
    return why !== undefined
  },
})

export const shareWaived = (tally: Tally, check: string): number => {
  const counted = tally.get(check)
  if (counted === undefined || counted.made === 0) return 1
  return [...counted.waived.values()].reduce((all, n) => all + n, 0) / counted.made
}

export const told = (tally: Tally): string =>
  [...tally].sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([check, { made, waived }]) => `${check}: ${made}${[...waived].map(([why, n]) => `; ${n} (${((100 * n) / made).toFixed(1)} %) ${why}`).join('')}`)
    .join('\n')
