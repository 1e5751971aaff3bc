/** Opens a side `file` as a worker does. */
import { fileConnector } from '#libs/connectors/file/file.ts'
import type { OpenAsk, Side } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { RecordKind } from '#libs/domain/record.ts'
import { ok, refused } from '../../../laws/law-rig.ts'

const asked = (kind: RecordKind, options: { readonly [option: string]: unknown }, more: Partial<OpenAsk> = {}): OpenAsk =>
  ({ options, kind, role: 'destination', connection: 'c', flow: 'f', secret: () => undefined, signal: new AbortController().signal, ...more })

export const openSide = (kind: RecordKind, options: { readonly [option: string]: unknown }, more: Partial<OpenAsk> = {}): Promise<Side> =>
  ok(fileConnector.open(asked(kind, options, more)))

export const openRefused = (kind: RecordKind, options: { readonly [option: string]: unknown }): Promise<SyncFailure> =>
  refused(fileConnector.open(asked(kind, options)))
