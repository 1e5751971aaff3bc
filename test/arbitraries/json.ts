/** Plain JSON values, small; text of many scripts, without lone surrogates (they have no UTF-8). */
import fc from 'fast-check'
import type { Json } from '#libs/domain/json.ts'

export const arbitraryText = (maxLength = 12): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength }),
    fc.string({ maxLength, unit: 'grapheme' }),
    fc.constantFrom('', ' ', 'Zoë', 'Zoe\u0308', '日本', '👩‍👩‍👧', 'a,b;c', 'line\nbreak', '"quoted"', '\\', 'null', '0', '__proto__'),
  )

export const arbitraryScalar = (): fc.Arbitrary<string | number | boolean | null> =>
  fc.oneof(arbitraryText(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0), fc.boolean(), fc.constant(null))

export const arbitraryJson = (): fc.Arbitrary<Json> =>
  fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      arbitraryScalar(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(arbitraryName(), tie('value'), { maxKeys: 4 }),
    ),
  })).value

/** A property or field name. */
export const arbitraryName = (): fc.Arbitrary<string> =>
  fc.oneof(fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/), fc.constantFrom('constructor', 'toString', 'naïve', 'a b', 'X-PHONE'))
