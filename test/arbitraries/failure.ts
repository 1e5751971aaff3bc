/** Every way a sync can fail. */
import fc from 'fast-check'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { arbitraryText } from './json.ts'

const tags = ['unavailable', 'ambiguous', 'bad-item', 'cursor-lost', 'needs-person', 'held', 'fenced', 'fence-regress', 'cancelled', 'stopping', 'bug'] as const

export const arbitraryFailure = (): fc.Arbitrary<SyncFailure> =>
  fc.tuple(
    fc.oneof(
      fc.constantFrom(...tags).map((is) => ({ is })),
      fc.integer({ min: 0, max: 4_102_444_800_000 }).map((notBefore) => ({ is: 'later' as const, notBefore })),
    ),
    fc.record(
      { message: arbitraryText(40), mend: arbitraryText(), code: fc.constantFrom('429', '40001', 'ENOENT'), side: fc.constantFrom('source' as const, 'destination' as const), item: arbitraryText() },
      { requiredKeys: ['message'] },
    ),
  ).map(([tag, facts]) => ({ ...facts, ...tag }))
