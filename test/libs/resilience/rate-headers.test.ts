import { describe, expect, it } from 'vitest'
import { bodyHint } from '#libs/resilience/body-hint.ts'
import { limitsIn, type Limits } from '#libs/resilience/rate-headers.ts'

const now = Date.UTC(2026, 10, 21, 12)

describe('headers about rates', () => {
  const cases: ReadonlyArray<readonly [name: string, headers: Record<string, string>, limits: Limits | undefined]> = [
    ['none', { 'content-type': 'text/plain' }, undefined],
    ['Fitbit', { 'fitbit-rate-limit-limit': '150', 'fitbit-rate-limit-remaining': '42', 'fitbit-rate-limit-reset': '1800' }, { limit: 150, remaining: 42, resetInMs: 1_800_000 }],
    ['X-RateLimit with the time itself', { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1_000 + 90) }, { limit: 60, remaining: 0, resetInMs: 90_000 }],
    ['that time by the server\'s clock', { 'x-ratelimit-reset': String(now / 1_000 + 90), date: new Date(now + 60_000).toUTCString() }, { resetInMs: 30_000 }],
    ['the time itself in ms', { 'x-ratelimit-reset': String(now + 5_000) }, { resetInMs: 5_000 }],
    ['a reset in the past', { 'x-ratelimit-reset': String(now / 1_000 - 5) }, { resetInMs: 0 }],
    ['the IETF draft', { 'ratelimit-policy': '"burst";q=100;w=60,"daily";q=1000;w=86400', ratelimit: '"burst";r=50;t=30' }, { limit: 100, remaining: 50, resetInMs: 30_000, windowMs: 60_000 }],
    ['the older draft', { ratelimit: 'limit=10, remaining=9, reset=1', 'ratelimit-policy': '10;w=1' }, { limit: 10, remaining: 9, resetInMs: 1_000, windowMs: 1_000 }],
    ['the oldest draft', { 'ratelimit-limit': '10, 10;w=1', 'ratelimit-remaining': '3', 'ratelimit-reset': '1' }, { limit: 10, remaining: 3, resetInMs: 1_000 }],
    ['garbage', { 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '-1', ratelimit: '"x";r=;t' }, undefined],
  ]
  it.each(cases)('%s', (_name, headers, limits) => {
    expect(limitsIn(headers, now)).toEqual(limits)
  })
})

describe('a body', () => {
  it.each([
    ['{"error":{"errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded"}],"code":403}}', 'rate-limit'],
    ['{"error":{"status":"INVALID_ARGUMENT","details":[{"reason":"EXPIRED_SYNC_TOKEN"}]}}', 'expired-cursor'],
    ['{"error":{"errors":[{"reason":"fullSyncRequired"}]}}', 'expired-cursor'],
    ['{"error":"invalid_grant","error_description":"Token has been revoked."}', 'invalid-grant'],
    ['{"error":{"errors":[{"reason":"duplicate"}]}}', 'duplicate'],
    ['{"error":{"errors":[{"reason":"forbidden"}]}}', undefined],
    ['', undefined],
    [`${' '.repeat(9_000)}"invalid_grant"`, undefined],
  ] as const)('%.60s', (body, hint) => {
    expect(bodyHint(body)).toBe(hint)
  })
})
