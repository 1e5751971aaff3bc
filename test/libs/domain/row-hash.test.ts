/** A row's hash is that of its fields, however it was come by: it is stored in links and compared with `hashOf` for years. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashOf } from '#libs/domain/record.ts'
import { rowHasher } from '#libs/domain/row-hash.ts'

const fieldsOf = (names: ReadonlyArray<string>, cells: ReadonlyArray<string | null>) => Object.fromEntries(names.map((name, n) => [name, cells[n] ?? null]))
/** Any UTF-16 units, odd ones often. */
const letter = fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0x22, 0x5c, 0x308, 0xd83d, 0xde00)).map((code) => String.fromCharCode(code))
const text = (maxLength: number, minLength = 0): fc.Arbitrary<string> => fc.array(letter, { minLength, maxLength }).map((letters) => letters.join(''))
const name = text(8, 1).filter((own) => own !== '__proto__')
const rows = <A>(cell: fc.Arbitrary<A>): fc.Arbitrary<ReadonlyArray<readonly [name: string, cell: A]>> => fc.uniqueArray(fc.tuple(name, cell), { selector: ([own]) => own.normalize('NFC'), minLength: 1, maxLength: 6 })

describe('the hash of a row', () => {
  it('from its cells is the hash of its fields', () =>
    fc.assert(fc.property(rows(fc.option(text(20))), (row) => {
      const [names, cells] = [row.map(([own]) => own), row.map(([, cell]) => cell)]
      expect(rowHasher(names).ofCells(cells)).toBe(hashOf(fieldsOf(names, cells)))
    })))

  it('from the bytes of plain cells is the hash of its fields, again and again', () => {
    const plain = fc.array(fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)).filter((one) => one !== '"' && one !== '\\'), { maxLength: 600 }).map((letters) => letters.join(''))
    fc.assert(fc.property(rows(fc.tuple(plain, plain)), (row) => {
      const names = row.map(([own]) => own)
      const hasher = rowHasher(names)
      for (const which of [0, 1, 0] as const) {
        const cells = row.map(([, both]) => both[which])
        const bytes = Buffer.from(`before\t${cells.join('\t')}\n`)
        const [starts, ends] = [new Uint32Array(cells.length), new Uint32Array(cells.length)]
        let at = 7
        for (const [n, cell] of cells.entries()) {
          starts[n] = at
          ends[n] = at + cell.length
          at += cell.length + 1
        }
        expect(hasher.ofBytes(bytes, starts, ends)).toBe(hashOf(fieldsOf(names, cells)))
      }
    }), { numRuns: 50 })
  })

  it('of no columns is that of no fields', () => expect(rowHasher([]).ofCells([])).toBe(hashOf({})))
})
