import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyLine, copyReader } from '#libs/connectors/postgres/copy-text.ts'
import { keyParts, keyText } from '#libs/connectors/postgres/items.ts'
import { linkOfRow, rowOfLink } from '#libs/connectors/postgres/link-row.ts'
import { isStoredAsSent } from '#libs/connectors/postgres/stored-as.ts'
import type { Column } from '#libs/connectors/postgres/table.ts'
import { textArray } from '#libs/connectors/postgres/text-array.ts'
import { E } from '#libs/fp.ts'
import type { Link } from '#libs/domain/link.ts'
import { pgFile, withPg } from './pg-rig.ts'

const newRig = pgFile()
const text = fc.string({ unit: fc.oneof(fc.constantFrom('\\', '\t', '\n', '\r', 'N', '"', "'", '{', '}', ',', ' ', 'ä', '🙂', '\u2028'), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' })) })
const storable = text.filter((some) => !some.includes('\0'))

describe('COPY text', () => {
  it('comes back as it was written, however it is cut into chunks', () =>
    fc.assert(fc.property(fc.array(fc.array(fc.option(text), { minLength: 2, maxLength: 4 })), fc.array(fc.integer({ min: 1, max: 7 })), (rows, cuts) => {
      const bytes = Buffer.from(rows.map(copyLine).join(''))
      const read = copyReader()
      const back: Array<unknown> = []
      for (let from = 0, cut = 0; from < bytes.length; cut++) {
        const size = cuts[cut] ?? 64
        back.push(...read(bytes.subarray(from, from + size)))
        from += size
      }
      expect(back).toEqual(rows)
    }), { examples: [[[['\\N', null], ['\\.', '']], [1, 1, 1]]] }))

  it('and lists are what the server understands too', withPg(newRig, async (rig) => {
    const client = await rig.connect()
    await fc.assert(fc.asyncProperty(fc.array(fc.option(storable)), async (values) => {
      const { rows } = await client.query<{ v: string | null }>('SELECT v FROM unnest($1::text[]) v', [textArray(values)])
      expect(rows.map(({ v }) => v)).toEqual(values)
    }), { numRuns: 50, examples: [[[]], [[null]], [['', 'NULL']]] })
  }))
})

describe('keys', () => {
  it('of several columns come back from their text', () =>
    fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (parts) => {
      expect(keyParts(keyText(parts), parts.length)).toEqual(parts)
    })))
  it('that are none of this table are none', () => {
    for (const key of ['', 'x', '[]', '["a"]', '["a",1]', '["a","b","c"]', '{"0":"a","1":"b"}']) expect(keyParts(key, 2)).toBeNull()
  })
})

describe('a link', () => {
  it('comes back from its row, whatever it holds', () => {
    const version = fc.oneof(fc.constant(null), text)
    const links: fc.Arbitrary<Link> = fc.record({
      key: text, st: fc.constantFrom('linked', 'parked', 'conflict', 'tomb'), idA: text, idB: text, verA: version, verB: version, hA: text, hB: text,
      genA: fc.nat(), wroteA: fc.integer({ min: 0, max: 2 ** 52 }), tombAt: fc.nat(), why: text, fh: fc.dictionary(text.filter((name) => name !== '__proto__'), text, { noNullPrototype: true }),
    }, { requiredKeys: ['key', 'st'] })
    fc.assert(fc.property(links, (link) => {
      expect(linkOfRow(rowOfLink('k', link))).toEqual(E.right(['k', link]))
    }))
  })
  it('of a row that is the same on both sides under its key comes back too, though little of it is stored', () => {
    fc.assert(fc.property(storable, fc.option(storable), storable, fc.option(fc.nat(), { nil: undefined }), (key, version, hash, genA) => {
      const link: Link = { key, st: 'linked', idA: key, idB: key, verA: version, verB: '7', hA: hash, hB: hash, ...(genA === undefined ? {} : { genA }) }
      expect(rowOfLink(key, link).slice(1, 5)).toEqual([null, 'linked', null, null])
      expect(linkOfRow(rowOfLink(key, link))).toEqual(E.right([key, link]))
    }))
  })
  it('that is damaged is said to be', () => expect(E.isLeft(linkOfRow(['k', null, 'linked']))).toBe(true))
})

describe('texts that are said to be stored as sent', () => {
  const types: ReadonlyArray<readonly [full: string, samples: fc.Arbitrary<string>]> = [
    ['bigint', fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String), fc.constantFrom('-0', '+1', '007', ' 1', '1e3'))],
    ['numeric', fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map(String), fc.constantFrom('-0', '-0.0', '1.50', '.5', '5.', '00.1', 'NaN', '1e2', '0.10', '-0.5'))],
    ['numeric(8,2)', fc.oneof(fc.integer({ min: -99999, max: 99999 }).map((n) => (n / 100).toFixed(2)), fc.constantFrom('-0.00', '1.5', '1.555', '1', '0.10'))],
    ['boolean', fc.constantFrom('true', 'false', 't', 'yes', '1', 'TRUE')],
    ['timestamp with time zone', fc.constantFrom('2026-01-01 00:00:00+00', '2026-01-01 00:00:00.1+00', '2026-01-01 00:00:00.10+00', '2026-01-01 24:00:00+00', '2026-01-01 00:00:60+00', '2026-01-01T00:00:00Z', '2026-01-01 00:00:00+01', '0001-01-01 00:00:00+00', '2026-02-28 23:59:59.999999+00', 'infinity', 'now')],
    ['timestamp(3) without time zone', fc.constantFrom('2026-01-01 00:00:00.123456', '2026-01-01 00:00:00')],
    ['date', fc.constantFrom('2026-01-01', '2026-1-1', '01/02/2026', '9999-12-31')],
    ['uuid', fc.oneof(fc.uuid(), fc.uuid().map((id) => id.toUpperCase()))],
    ['character varying(10)', fc.constantFrom('abc', 'abc ', 'abc            ', '          x'.slice(1))],
    ['character(5)', fc.constantFrom('abc', 'abcde', 'ab ')],
    ['text', storable], ['json', fc.json()], ['jsonb', fc.json().filter((json) => !json.includes('\\u0000'))], ['double precision', fc.double().map(String)],
  ]
  for (const [full, samples] of types) {
    it(`really are: ${full}`, withPg(newRig, async (rig) => {
      const client = await rig.connect()
      await client.query(`CREATE TABLE t (v ${full})`)
      const [type] = (await rig.sql("SELECT format_type(atttypid, -1) AS v FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'v'", [rig.table('t')])).map(({ v }) => v ?? '')
      const column: Column = { name: 'v', type: type ?? '', full, limited: full.includes('('), notNull: false, always: false, generated: false, list: false }
      await fc.assert(fc.asyncProperty(samples, async (sent) => {
        if (!isStoredAsSent(column, sent)) return
        const { rows } = await client.query<{ v: string }>('INSERT INTO t VALUES ($1) RETURNING v::text', [sent])
        expect(rows[0]?.v).toBe(sent)
      }), { numRuns: 60 })
    }))
  }

  it('include the usual ones', () => {
    const column = (type: string, full = type): Column => ({ name: 'v', type, full, limited: full !== type, notNull: false, always: false, generated: false, list: false })
    for (const [of, sent] of [[column('bigint'), '-42'], [column('numeric', 'numeric(12,2)'), '0.50'], [column('timestamp with time zone'), '2026-01-01 00:00:00.123456+00'], [column('text'), 'x '], [column('boolean'), 'true'], [column('numeric'), '0.000001']] as const) {
      expect(isStoredAsSent(of, sent)).toBe(true)
    }
  })
})
