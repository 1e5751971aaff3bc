/** Knows one write to a store in memory: mischief first, then the precondition, then the change. */
import { badItem, unavailable } from '../../domain/failure.ts'
import { hashOf, type Fields } from '../../domain/record.ts'
import type { Write, Wrote } from '../connector.ts'
import type { MemoryOptions } from './options.ts'
import { isVersionOf, versionOf } from './showing.ts'
import type { MemoryStore, Stored } from './store.ts'

export const memoryWrite = (store: MemoryStore, options: MemoryOptions, write: Write): Wrote => {
  const { mischief } = store
  mischief.beforeWrite?.(write)
  const log = (answer: Wrote, applied: boolean): Wrote => {
    store.writes.push({ write, answer: answer.is, applied })
    return answer
  }
  if (mischief.failWrites > 0) {
    mischief.failWrites -= 1
    return log({ is: 'failed', failure: mischief.failure ?? unavailable(`${store.name} does not answer`) }, false)
  }
  if (mischief.refuseKeys.has(write.key)) return log({ is: 'refused', failure: badItem(`${store.name} never accepts this item`, { item: write.key }) }, false)
  const answer = applied(store, options, write)
  if (answer.is === 'done' && mischief.loseAnswers > 0) {
    mischief.loseAnswers -= 1
    return log({ is: 'failed', failure: { is: 'ambiguous', message: 'the answer was lost' } }, true)
  }
  return log(answer, answer.is === 'done')
}

const applied = (store: MemoryStore, options: MemoryOptions, write: Write): Wrote => {
  if (write.do === 'create') {
    const [there] = store.byKey(write.key)
    if (there !== undefined) return { is: 'exists', remoteId: there.remoteId }
    return done(store, options, store.put({ key: write.key, fields: storing(options, write.fields), ...(options.idsAreKeys === true ? { remoteId: write.key } : {}) }), write.fields)
  }
  const there = store.get(write.remoteId)
  if (there === undefined) return { is: 'stale' }
  if (write.expect !== null && !isVersionOf(there, write.expect)) return { is: 'stale' }
  if (write.do === 'delete') {
    store.remove(write.remoteId)
    return { is: 'done', remoteId: write.remoteId, version: null }
  }
  return done(store, options, store.put({ key: write.key, remoteId: write.remoteId, fields: storing(options, write.fields) }), write.fields)
}

const done = (store: MemoryStore, options: MemoryOptions, stored: Stored, sent: Fields): Wrote => {
  const tells = options.tellsStored !== false && hashOf(stored.fields) !== hashOf(sent)
  const version = options.silentWrites === true ? null : versionOf(store, stored, options)
  return { is: 'done', remoteId: stored.remoteId, version, ...(tells ? { fields: stored.fields } : {}) }
}

const storing = (options: MemoryOptions, fields: Fields): Fields => options.stores?.(fields) ?? fields
