/** Knows randomness and ids as a port. Pure files take the values as arguments. */
import { randomBytes } from 'node:crypto'
import { monotonicFactory } from 'ulid'

export type Random = {
  /** In [0, 1); good enough for jitter, not for secrets. */
  readonly next: () => number
  /** A new ULID, 26 characters; ids made in one process sort in the order they were made. */
  readonly ulid: (nowMs: number) => string
  /** 128 unguessable bits, base64url: 22 characters. */
  readonly token: () => string
}

const nextUlid = monotonicFactory()

/** Drawn for many tokens at once: asking the system for 16 bytes takes longer than all the rest of making one. */
const tokenBytes = 16
let pool = Buffer.alloc(0)
let from = 0

export const systemRandom: Random = {
  next: () => Math.random(),
  ulid: (nowMs) => nextUlid(nowMs),
  token: () => {
    if (from >= pool.length) {
      pool = randomBytes(tokenBytes * 256)
      from = 0
    }
    return pool.toString('base64url', from, (from += tokenBytes))
  },
}
