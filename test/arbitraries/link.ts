/** Links and the checkpoint they hang under. */
import fc from 'fast-check'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import { fieldHashesOf, hashOf } from '#libs/domain/record.ts'
import { arbitraryFields, arbitraryKey, arbitraryVersion } from './record.ts'

export const arbitraryLink = (): fc.Arbitrary<Link> =>
  fc.record(
    {
      key: arbitraryKey(),
      st: fc.constantFrom('linked' as const, 'parked' as const, 'conflict' as const, 'tomb' as const),
      idA: fc.string({ minLength: 1, maxLength: 16 }),
      idB: fc.string({ minLength: 1, maxLength: 16 }),
      verA: arbitraryVersion(),
      verB: arbitraryVersion(),
      hA: arbitraryFields().map(hashOf),
      hB: arbitraryFields().map(hashOf),
      fh: arbitraryFields().map((fields): NonNullable<Link['fh']> => ({ ...fieldHashesOf(fields) })),
      genA: fc.nat(50),
      genB: fc.nat(50),
      wroteA: fc.nat(4_102_444_800_000),
      wroteB: fc.nat(4_102_444_800_000),
      tombAt: fc.nat(4_102_444_800_000),
      why: fc.string({ maxLength: 30 }),
    },
    { requiredKeys: ['key', 'st'] },
  )

const arbitraryCursor = (): fc.Arbitrary<string | null> => fc.oneof(fc.string({ minLength: 1, maxLength: 30 }), fc.constant(null))

export const arbitraryCheckpoint = (): fc.Arbitrary<Checkpoint> =>
  fc.record(
    {
      fence: fc.integer({ min: 1, max: 1_000_000 }),
      run: fc.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
      phase: fc.constantFrom('first' as const, 'delta' as const, 'resync' as const),
      gen: fc.nat(100),
      cursorA: arbitraryCursor(),
      cursorB: arbitraryCursor(),
      cfgHash: fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      pages: fc.constantFrom(0, 1, 2, 4, 8),
      links: fc.nat(1000),
      parked: fc.nat(10),
      heldPlan: fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      approvedPlan: fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    },
    { requiredKeys: ['fence', 'run', 'phase', 'gen', 'cursorA', 'cursorB', 'cfgHash', 'pages', 'links', 'parked'] },
  )
