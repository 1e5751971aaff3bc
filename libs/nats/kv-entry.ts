/** Knows how a stored message reads as an entry of a bucket. Does not read any. */
import type { StoredMessage } from './stored-message.ts'

export type KvEntry = {
  readonly key: string
  readonly revision: number
  /** null when the key was deleted, purged or has expired. */
  readonly value: Uint8Array | null
  readonly created: number
  /** An expired key is a "purge": the server left a marker. */
  readonly operation: 'put' | 'del' | 'purge'
}

export const checkedKey = (key: string): string => {
  if (!/^[-/=.\w]+$/.test(key) || key.startsWith('.') || key.endsWith('.') || key.includes('..'))
    throw new Error(`"${key}" is not a key`)
  return key
}

export const entryOf = (message: StoredMessage, prefix: string): KvEntry => {
  const operation = operationOf(message.headers)
  return {
    key: message.subject.slice(prefix.length),
    revision: message.seq,
    value: operation === 'put' ? message.body : null,
    created: message.storedAt,
    operation,
  }
}

/** The server's own markers carry no KV-Operation; whoever looks only there sees dead keys alive (NATS.md §2.3). */
const operationOf = (headers: StoredMessage['headers']): KvEntry['operation'] =>
  headers['Nats-Marker-Reason'] !== undefined || headers['KV-Operation'] === 'PURGE'
    ? 'purge'
    : headers['KV-Operation'] === 'DEL'
      ? 'del'
      : 'put'
