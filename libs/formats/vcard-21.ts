/**
 * Knows how a property of vCard 2.1 reads in 3.0: quoted-printable, bare parameters, unescaped commas.
 * Does not know character sets other than UTF-8, nor nested cards (AGENT).
 */
import { E } from '../fp.ts'
import type { ContentLine, Parameter } from './content-lines.ts'
import { escapeText } from './canonical-line.ts'

const encodings = new Set(['QUOTED-PRINTABLE', 'BASE64', '7BIT', '8BIT'])
const texts = new Set(['FN', 'N', 'ADR', 'ORG', 'NOTE', 'TITLE', 'ROLE', 'LABEL', 'CATEGORIES', 'NICKNAME'])

export const from21 = (line: ContentLine): E.Either<string, ContentLine> => {
  const parameters: Array<Parameter> = []
  let quotedPrintable = false
  for (const [bare, values] of line.parameters) {
    const name = bare !== '' ? bare : encodings.has((values[0] ?? '').toUpperCase()) ? 'ENCODING' : 'TYPE'
    const value = (values[0] ?? '').toUpperCase()
    if (name === 'CHARSET') {
      if (!['UTF-8', 'UTF8', 'US-ASCII', 'ASCII'].includes(value)) return E.left('a character set other than UTF-8')
    } else if (name !== 'ENCODING') parameters.push([name, values])
    else if (value === 'QUOTED-PRINTABLE') quotedPrintable = true
    else if (value === 'BASE64' || value === 'B') parameters.push([name, ['b']])
  }
  if (!quotedPrintable && !texts.has(line.name)) return E.right({ ...line, parameters })
  const decoded = quotedPrintable ? decodeQuotedPrintable(line.value) : E.right(line.value)
  if (E.isLeft(decoded)) return decoded
  return E.right({ ...line, parameters, value: texts.has(line.name) ? escaped21(decoded.right) : decoded.right.replace(/\r?\n/g, '\\n') })
}

/** In 2.1 only `\;` (and what 3.0 writers add) is an escape; a comma is a comma and a backslash a backslash. */
const escaped21 = (value: string): string =>
  value.replace(/\\[\\;,nN]|[^\\;]|\\/gsu, (part) => (part.length > 1 && part.startsWith('\\') ? part : escapeText(part))).replace(/\r?\n/g, '\\n')

const decodeQuotedPrintable = (value: string): E.Either<string, string> => {
  const bytes = Buffer.from(value, 'utf8').toString('latin1').replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return E.tryCatch(
    () => new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1')),
    () => 'quoted-printable text that is not UTF-8',
  )
}
