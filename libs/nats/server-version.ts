/** Knows whether a server is new enough. Does not know for what. */
import { E } from '#libs/fp.ts'
import type { NatsFailure } from './failure.ts'
import type { Bus } from './connect.ts'

/** Left when the server is older than the features in use need (NATS.md §0). */
export const assertServerVersion = (bus: Bus, needed: string): E.Either<NatsFailure, string> => {
  const found = bus.serverVersion()
  return isAtLeast(found, needed) ? E.right(found) : E.left({ is: 'old-server', found, needed })
}

export const isAtLeast = (found: string, needed: string): boolean => {
  const a = /(\d+)\.(\d+)\.(\d+)/.exec(found)
  const b = /(\d+)\.(\d+)\.(\d+)/.exec(needed)
  for (let i = 1; i <= 3; i++) {
    const difference = Number(a?.[i] ?? 0) - Number(b?.[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
