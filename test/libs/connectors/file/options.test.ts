import { describe, expect, it } from 'vitest'
import { fileConnector } from '#libs/connectors/file/file.ts'
import type { RecordKind } from '#libs/domain/record.ts'

const cases: ReadonlyArray<readonly [string, RecordKind, { readonly [option: string]: unknown }, ReadonlyArray<string>]> = [
  ['a folder of contacts', 'contact', { provider: 'file', path: './contacts' }, []],
  ['a folder of events, to be read only', 'event', { path: './calendar', readOnly: true, root: '/data' }, []],
  ['a file of rows', 'row', { path: 'meters.jsonl', key: ['meter', 'at'] }, []],
  ['a file of rows by another name', 'row', { path: 'meters.txt', format: 'csv', key: 'id' }, []],
  ['no path', 'contact', {}, ['path is missing']],
  ['a path that is none', 'contact', { path: 7 }, ['path is not a path']],
  ['an unknown option', 'contact', { path: 'x', pth: 'y' }, ['pth is not an option of the provider file']],
  ['an unknown format', 'row', { path: 'x', format: 'xml' }, ['format "xml" is none of vcf, ics, jsonl, csv']],
  ['a path that tells no format', 'row', { path: 'meters' }, ['path does not tell the format of row records']],
  ['contacts in a table', 'contact', { path: 'people.csv' }, ['path csv does not hold records of the kind contact']],
  ['a key for a folder', 'contact', { path: 'x', key: 'id' }, ['key is not used with vcf: the UID identifies the item']],
  ['a key that is none', 'row', { path: 'x.csv', key: [] }, ['key is neither a field name nor a list of field names']],
  ['a key named twice', 'row', { path: 'x.csv', key: ['a', 'a'] }, ['key is neither a field name nor a list of field names']],
  ['several mistakes at once', 'event', { readOnly: 'yes', root: 1 }, ['path is missing', 'root is not a path', 'readOnly is neither true nor false']],
]

describe('the options of a side `file`', () => {
  it.each(cases)('%s', (_, kind, options, expected) => {
    const mistakes = fileConnector.validate(options, kind)
    expect(mistakes.map(({ path, message }) => `${path.join('.')} ${message}`)).toEqual(expected)
    for (const { mend } of mistakes) expect(mend).not.toBe('')
  })
})
