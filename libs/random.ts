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

export const systemRandom: Random = {
  next: () => Math.random(),
  ulid: (nowMs) => nextUlid(nowMs),
  token: () => randomBytes(16).toString('base64url'),
}
