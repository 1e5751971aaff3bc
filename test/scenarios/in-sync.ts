/** Rigs to begin a scenario with, and what their sides show. */
import type { Side } from '#libs/connectors/connector.ts'
import type { Fields } from '#libs/domain/record.ts'
import { pipe, TE } from '#libs/fp.ts'
import { engineRig, type EngineOptions, type EngineRig } from '../support/engine-rig.ts'

export const inSync = async (options: EngineOptions = {}, keys: ReadonlyArray<string> = ['x', 'y', 'z']): Promise<EngineRig> => {
  const rig = engineRig(options)
  for (const key of keys) rig.a.put({ key, fields: { FN: key } })
  await rig.sync()
  rig.newWrites()
  return rig
}

export const many = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => `k${n}`)

const contents = (side: EngineRig['a']): Record<string, Fields> => Object.fromEntries(side.all().map(({ key, fields }) => [key, fields]))

export const shown = (rig: EngineRig) => ({ a: contents(rig.a), b: contents(rig.b) })

/** Two more syncs write nothing. */
export const isQuiet = async (rig: EngineRig): Promise<boolean> => {
  rig.newWrites()
  const results = [await rig.sync(), await rig.sync()]
  const { a, b } = rig.newWrites()
  return a + b === 0 && results.every(({ quiet }) => quiet)
}

export const listed = { a: { delta: false }, b: { delta: false } } as const
export const streamed = { direction: 'one-way', b: { transactional: true } } as const

/** Two-way, with links and checkpoint beside the items of the destination. */
export const beside = { direction: 'two-way', b: { transactional: true } } as const

/** A side whose listings and answers leave out what `isShown` says no to; writes go through. */
export const filtered = (side: Side, isShown: (key: string) => boolean, keyOf: (remoteId: string) => string | undefined): Side => ({
  ...side,
  read: (ask) => pipe(side.read(ask), TE.map((reader) => ({
    ...reader,
    next: pipe(reader.next, TE.map((page) => ({ ...page, changes: page.changes.filter((change) => isShown(change.is === 'item' ? change.item.key : (keyOf(change.remoteId) ?? ''))) }))),
  }))),
  fetch: (ids, signal) => side.fetch(ids.filter((id) => isShown(keyOf(id) ?? '')), signal),
})
