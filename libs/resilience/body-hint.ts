/** Knows the words by which vendors say in a body what the status alone does not. Pure. */
import type { BodyHint } from './http-failure.ts'

const words: ReadonlyArray<readonly [RegExp, BodyHint]> = [
  [/"(?:user)?rateLimitExceeded"|"usageLimits"|"(?:daily|quota)LimitExceeded"|"quotaExceeded"|"RESOURCE_EXHAUSTED"/i, 'rate-limit'],
  [/"EXPIRED_SYNC_TOKEN"|"fullSyncRequired"|"updatedMinTooLongAgo"/, 'expired-cursor'],
  [/"invalid_grant"/, 'invalid-grant'],
  [/"duplicate"|"ALREADY_EXISTS"/, 'duplicate'],
]

/** Looks at the first 8 kB: an error says what it is at its beginning. */
export const bodyHint = (body: string): BodyHint | undefined => {
  const start = body.slice(0, 8_192)
  return words.find(([pattern]) => pattern.test(start))?.[1]
}
