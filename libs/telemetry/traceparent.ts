/** Knows the W3C `traceparent` text (https://www.w3.org/TR/trace-context). Does not know spans or exporters. */

export type TraceParent = { readonly traceId: string; readonly spanId: string; readonly flags: number }

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const noTrace = '0'.repeat(32)
const noSpan = '0'.repeat(16)

/** undefined when the text is not a valid traceparent: the receiver then starts a trace of its own. */
export const parseTraceparent = (text: string | undefined): TraceParent | undefined => {
  const [, version, traceId, spanId, flags, more] = shape.exec(text ?? '') ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  // A later version may carry more behind the flags; version 00 may not, and ff is forbidden.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === noTrace || spanId === noSpan) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

/** Of version 00, as we write them ourselves: the same answer without the work. */
const plainLength = 55
export const isPlainTraceparent = (text: string): boolean => {
  if (text.length !== plainLength || !text.startsWith('00-') || text.startsWith(noTrace, 3) || text.startsWith(noSpan, 36)) return false
  for (let at = 3; at < plainLength; at++) {
    const code = text.charCodeAt(at)
    const isHex = (code >= 48 && code <= 57) || (code >= 97 && code <= 102)
    if (at === 35 || at === 52 ? code !== 45 : !isHex) return false
  }
  return true
}

export const formatTraceparent = ({ traceId, spanId, flags }: TraceParent): string =>
  `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, '0')}`

/** A new root. `random` in [0, 1): trace ids must be different, not secret. Flag 01: those who can record may. */
export const newTraceParent = (random: () => number): TraceParent => ({
  traceId: hex32(random) + hex32(random) + hex32(random) + hex32(random),
  spanId: hex32(random) + hex32(random),
  flags: 1,
})

/** Never zero, because an id of zeros means "none". */
const hex32 = (random: () => number): string => Math.floor(1 + random() * 0xffff_ffff).toString(16).padStart(8, '0')
