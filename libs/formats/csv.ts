/**
 * Knows how a stream of CSV bytes becomes rows and a row becomes a line, bounded (SYNC.md S8); csv-parse does the reading.
 * Does not know types: every value is text. The first row names the columns.
 */
import { CsvError, parse, type Parser } from 'csv-parse'
import { E } from '../fp.ts'
import { isList, canonicalJson, type Json } from '../domain/json.ts'

/** `fatal`: nothing after it can be trusted, so the listing is not complete. Otherwise this one row is bad. */
export type CsvFault = { readonly line: number; readonly report: string; readonly fatal: boolean }
export type CsvRow = { readonly line: number; readonly row: Record<string, string> }

const maxRowBytes = 1024 * 1024
const maxColumns = 1024

export async function* readCsv(bytes: AsyncIterable<Uint8Array>, delimiter = ','): AsyncGenerator<E.Either<CsvFault, CsvRow>, void, undefined> {
  const parser = parse({ bom: true, delimiter, info: true, max_record_size: maxRowBytes, relax_column_count: true, skip_empty_lines: true })
  void feed(utf8(bytes), parser)
  let columns: ReadonlyArray<string> | null = null
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: ReadonlyArray<string>; info: { lines: number } }>) {
      const line = info.lines
      if (columns === null) {
        const mistake = headerMistake(record)
        if (mistake !== null) return yield E.left({ line, report: mistake, fatal: true })
        columns = record
      } else if (record.length !== columns.length) {
        yield E.left({ line, report: `${record.length} columns instead of ${columns.length}`, fatal: false })
      } else {
        yield E.right({ line, row: Object.fromEntries(columns.map((name, i) => [name, record[i] ?? ''])) })
      }
    }
  } catch (error) {
    yield E.left({ line: parser.info.lines, report: reportOf(error), fatal: true })
  }
}

/** Never more than the parser wants; ends with the parser, whoever ends it. */
const feed = async (texts: AsyncIterable<string>, parser: Parser): Promise<void> => {
  const closed = new Promise((over) => parser.once('close', over))
  try {
    for await (const text of texts) {
      if (parser.destroyed) return
      if (!parser.write(text)) await Promise.race([closed, new Promise((go) => parser.once('drain', go))])
    }
    parser.end()
  } catch (error) {
    parser.destroy(error instanceof Error ? error : new Error('the source failed'))
  }
}

async function* utf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for await (const chunk of bytes) {
    const text = decoder.decode(chunk, { stream: true })
    if (text !== '') yield text
  }
  decoder.decode()
}

/** `__proto__` is refused: an own property of that name turns into a prototype in any careless copy. */
const headerMistake = (columns: ReadonlyArray<string>): string | null => {
  if (columns.length > maxColumns) return `more than ${maxColumns} columns`
  const seen = new Set<string>()
  for (const [i, name] of columns.entries()) {
    if (name === '') return `column ${i + 1} has no name`
    if (name === '__proto__') return 'a column named __proto__'
    if (seen.has(name)) return `column ${i + 1} has the name of an earlier column`
    seen.add(name)
  }
  return null
}

/** csv-parse's own messages quote values, which are not logged (SYNC.md S4). */
const reportOf = (error: unknown): string => {
  if (!(error instanceof CsvError)) return error instanceof TypeError && error.message.includes('encoded data') ? 'not UTF-8 text' : 'the bytes could not be read'
  if (error.code === 'CSV_MAX_RECORD_SIZE') return 'a row longer than 1 MiB'
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote that is never closed'
  return error.code.includes('QUOTE') ? 'a quote inside a value that is not quoted as a whole' : 'not CSV'
}

/**
 * One line without its end. `guardFormulas` puts an apostrophe before values a spreadsheet would run; it changes the
 * data, so it is for people's exports only.
 */
export const formatCsvRow = (values: ReadonlyArray<Json>, guardFormulas = false): string =>
  // A lone empty value would be an empty line, which readers skip.
  values.map((value) => quoted(guarded(textOf(value), guardFormulas))).join(',') || '""'

const textOf = (value: Json): string => {
  if (value === null) return ''
  if (typeof value === 'string') return value
  return isList(value) || typeof value === 'object' ? canonicalJson(value) : String(value)
}

const guarded = (text: string, guardFormulas: boolean): string => (guardFormulas && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text)

const quoted = (text: string): string => (/[",\r\n]|^\s|\s$|^\ufeff/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
