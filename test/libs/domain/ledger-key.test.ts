/** Keys inside a flow's own ledger: two spellings of one identity share one, two identities never do. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ledgerKey } from '#libs/domain/record.ts'

const text = fc.array(fc.oneof(fc.constantFrom(0x23, 0x61, 0x308, 0xeb), fc.integer({ min: 0, max: 0xffff })).map((code) => String.fromCharCode(code)), { maxLength: 80 }).map((letters) => letters.join(''))

describe('the key of an item in its ledger', () => {
  it.each(['1', '-17', 'meter 4', '["a","b"]', 'Zoë', 'a'.repeat(64), '{'])('is the identity itself where that is short: %s', (key) => expect(ledgerKey(key)).toBe(key))
  it.each(['', '#1', 'a'.repeat(65), 'tab\there', '\u0000', '\u007f', '😀', '\ud800'])('is a marked digest where it is not, or is odd: %j', (key) => expect(ledgerKey(key)).toMatch(/^#[\w-]{22}$/))
  it('is the same for two spellings of one text', () => expect(ledgerKey('Zoe\u0308')).toBe(ledgerKey('Zoë')))
  it('is bounded, and no two identities share it', () =>
    fc.assert(fc.property(text, text, (one, other) => {
      expect(ledgerKey(one).length).toBeLessThanOrEqual(64)
      expect(ledgerKey(one) === ledgerKey(other)).toBe(one.normalize('NFC') === other.normalize('NFC'))
    })))
})
