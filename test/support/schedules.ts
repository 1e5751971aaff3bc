/** Knows schedules for tests that are not about time. */

/** A first sync at once, and then no tick that comes in between by chance: the next slot is somewhere in this century. */
export const onceInACentury = { kind: 'interval', everyMs: 100 * 365 * 86_400_000 }
