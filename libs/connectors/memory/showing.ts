/** Knows how a stored item shows itself: its version, its content, or that nobody can read it. */
import { badItem, type SyncFailure } from '../../domain/failure.ts'
import type { Item } from '../../domain/record.ts'
import type { Change } from '../connector.ts'
import type { MemoryOptions } from './options.ts'
import type { MemoryStore, Stored } from './store.ts'

export const cancelled: SyncFailure = { is: 'cancelled', message: 'ended on request' }

export const shown = (store: MemoryStore, stored: Stored, options: MemoryOptions): Change =>
  stored.spoilt === undefined
    ? { is: 'item', item: itemOf(store, stored, options) }
    : { is: 'bad', remoteId: stored.remoteId, version: versionOf(store, stored, options), failure: badItem(stored.spoilt, { item: stored.remoteId }) }

export const itemOf = (store: MemoryStore, stored: Stored, options: MemoryOptions): Item => ({
  remoteId: stored.remoteId,
  key: stored.key,
  version: versionOf(store, stored, options),
  fields: stored.fields,
  ...(stored.modifiedAt === undefined ? {} : { modifiedAt: stored.modifiedAt }),
})

/** The part before the dot names the content; what is behind it makes flaky versions differ. */
export const versionOf = (store: MemoryStore, stored: Stored, options: MemoryOptions): string | null => {
  if (options.versions === 'none') return null
  return options.versions === 'flaky' ? `${stored.revision}.${store.nextLook()}` : `${stored.revision}`
}

export const isVersionOf = (stored: Stored, version: string): boolean => version.split('.')[0] === `${stored.revision}`
