/** Knows the options of a side `file`, and what is wrong with them. Opens nothing. */
import { extname } from 'node:path'
import { E } from '../../fp.ts'
import type { RecordKind } from '../../domain/record.ts'
import type { OptionMistake } from '../connector.ts'

export type FolderFormat = 'vcf' | 'ics'
export type RecordsFormat = 'jsonl' | 'csv'

export type FileOptions = {
  readonly path: string
  readonly format: FolderFormat | RecordsFormat
  /** Fields that identify a record; not asked of a folder, whose items have UIDs. */
  readonly key: ReadonlyArray<string>
  readonly readOnly: boolean
  /** The path must lie inside this folder. */
  readonly root?: string
}

const known = ['path', 'format', 'key', 'readOnly', 'root', 'provider']
const formats = ['vcf', 'ics', 'jsonl', 'csv'] as const

/** Which kinds a format can hold. */
const kindsOf: Readonly<Record<FileOptions['format'], ReadonlyArray<RecordKind>>> = {
  vcf: ['contact'],
  ics: ['event'],
  jsonl: ['row', 'activity', 'glucose-reading'],
  csv: ['row'],
}

export const decodeOptions = (options: { readonly [option: string]: unknown }, kind: RecordKind): E.Either<ReadonlyArray<OptionMistake>, FileOptions> => {
  const mistakes: Array<OptionMistake> = []
  const wrong = (option: string, message: string, mend: string) => mistakes.push({ path: [option], message, mend })
  const { path, key, readOnly, root } = options

  for (const option of Object.keys(options)) if (!known.includes(option)) wrong(option, 'is not an option of the provider file', `the options are ${known.filter((name) => name !== 'provider').join(', ')}`)
  if (!isText(path)) wrong('path', path === undefined ? 'is missing' : 'is not a path', kind === 'row' ? 'name a .jsonl or .csv file' : 'name a folder, such as ./contacts')
  if (root !== undefined && !isText(root)) wrong('root', 'is not a path', 'name the folder the path must lie in, or leave it out')
  if (readOnly !== undefined && typeof readOnly !== 'boolean') wrong('readOnly', 'is neither true nor false', 'write `readOnly: true`, or leave it out')
  const format = formatOf(options['format'], isText(path) ? path : '', kind)
  if (format === null) {
    if (options['format'] !== undefined) wrong('format', `${JSON.stringify(options['format'])} is none of ${formats.join(', ')}`, 'take one of these, or leave it out to let the path tell')
    else if (isText(path)) wrong('path', `does not tell the format of ${kind} records`, 'let the file end in .jsonl or .csv, or set `format`')
  } else if (!kindsOf[format].includes(kind)) {
    wrong(options['format'] === undefined ? 'path' : 'format', `${format} does not hold records of the kind ${kind}`, `${format} holds ${kindsOf[format].join(', ')}`)
  }
  const keys = keysOf(key)
  if (keys === null) wrong('key', 'is neither a field name nor a list of field names', 'write `key: id`, or `key: [meter, at]`')
  else if (key !== undefined && isFolder(format)) wrong('key', `is not used with ${format}: the UID identifies the item`, 'leave it out')

  if (mistakes.length > 0 || !isText(path) || format === null || keys === null) return E.left(mistakes)
  return E.right({ path, format, key: keys, readOnly: readOnly === true, ...(isText(root) ? { root } : {}) })
}

export const isFolder = (format: FileOptions['format'] | null): format is FolderFormat => format === 'vcf' || format === 'ics'

const formatOf = (format: unknown, path: string, kind: RecordKind): FileOptions['format'] | null => {
  if (format !== undefined) return formats.find((name) => name === format) ?? null
  const extension = extname(path).toLowerCase()
  if (extension === '.jsonl' || extension === '.ndjson') return 'jsonl'
  if (extension === '.csv') return 'csv'
  return kind === 'contact' ? 'vcf' : kind === 'event' ? 'ics' : null
}

const keysOf = (key: unknown): ReadonlyArray<string> | null => {
  if (key === undefined) return ['id']
  const keys: ReadonlyArray<unknown> = Array.isArray(key) ? key : [key]
  const names = keys.filter(isText)
  return names.length === keys.length && names.length > 0 && new Set(names).size === names.length ? names : null
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
