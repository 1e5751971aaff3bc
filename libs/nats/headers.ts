/** Knows how plain text records become NATS headers and back. Does not know what any header means. */
import { MsgHdrsImpl } from '@nats-io/transport-node'
import type { MsgHdrs } from '@nats-io/transport-node'

export type HeaderRecord = Readonly<Record<string, string>>

const lineBreak = /[\r\n]+/g
/** A line break would start a new header, so it becomes a space: error texts travel in headers. */
export const oneLine = (text: string): string => (text.includes('\n') || text.includes('\r') ? text.replace(lineBreak, ' ') : text)

const headerName = /^[!-9;-~]+$/

/** To be sent: already the bytes that go over the wire, which is all that the library asks of it then. */
export const toMsgHdrs = (record: HeaderRecord): MsgHdrs => {
  let block = 'NATS/1.0\r\n'
  for (const name in record) {
    if (!headerName.test(name)) throw new Error(`"${name}" is not a header name`)
    block += `${name}: ${oneLine(record[name] ?? '')}\r\n`
  }
  const bytes = Buffer.from(`${block}\r\n`)
  return { encode: () => bytes, get: (name: string) => record[name] ?? '' } as Pick<MsgHdrsImpl, 'encode' | 'get'> as unknown as MsgHdrs
}

export const fromMsgHdrs = (hdrs: MsgHdrs | undefined): HeaderRecord => {
  const record: Record<string, string> = {}
  if (hdrs !== undefined) for (const [name, values] of hdrs) record[name] = values[0] ?? ''
  return record
}

/** One header; absent and empty are the same. */
export const headerOf = (hdrs: MsgHdrs | undefined, name: string): string | undefined => {
  const value = hdrs?.get(name)
  return value === '' ? undefined : value
}

/** The header block of a stored message, as STREAM.MSG.GET answers it. */
export const parseHeaderBlock = (block: Uint8Array): HeaderRecord =>
  block.length === 0 ? {} : fromMsgHdrs(MsgHdrsImpl.decode(block))
