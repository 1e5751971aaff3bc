/** Knows how plain text records become NATS headers and back. Does not know what any header means. */
import { MsgHdrsImpl } from '@nats-io/transport-node'
import type { MsgHdrs } from '@nats-io/transport-node'

export type HeaderRecord = Readonly<Record<string, string>>

const lineBreak = /[\r\n]+/g
/** A line break would start a new header, so it becomes a space: error texts travel in headers. */
export const oneLine = (text: string): string => (text.includes('\n') || text.includes('\r') ? text.replace(lineBreak, ' ') : text)

const headerName = /^[!-9;-~]+$/

/** To be sent: already the bytes that go over the wire, which is all that the library asks of it then. */
export const toMsgHdrs = (record: HeaderRecord): MsgHdrs => ofBytes(Buffer.from(`NATS/1.0\r\n${linesOf(record)}\r\n`), (name) => record[name] ?? '')

/** For many messages: all with the headers of `shared`, and each with its own value of one more. */
export const toManyMsgHdrs = (shared: HeaderRecord, own: string): ((value: string) => MsgHdrs) => {
  const begin = `NATS/1.0\r\n${linesOf(shared)}${linesOf({ [own]: '' }).trimEnd()} `
  return (value) => ofBytes(Buffer.from(`${begin}${oneLine(value)}\r\n\r\n`), (name) => (name === own ? value : (shared[name] ?? '')))
}

const linesOf = (record: HeaderRecord): string => {
  let lines = ''
  for (const name in record) {
    if (!headerName.test(name)) throw new Error(`"${name}" is not a header name`)
    lines += `${name}: ${oneLine(record[name] ?? '')}\r\n`
  }
  return lines
}

const ofBytes = (bytes: Uint8Array, get: (name: string) => string): MsgHdrs => ({ encode: () => bytes, get }) as Pick<MsgHdrsImpl, 'encode' | 'get'> as unknown as MsgHdrs

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
