/** Knows what the rig does to one side of a connection past all proxies: clients' edits, and a look at what stands there. */
import type { SideName, SystemKind } from '../history.ts'

export type Standing = { readonly key: string; readonly remoteId: string; readonly value: string | null }

/** `kind`: what the edit turned out to be; undefined: there was nothing to delete, or somebody was faster, and nothing was done. */
export type Edited = { readonly kind: 'create' | 'update' | 'delete' | undefined; readonly before: string | null; readonly result: 'ok' | 'fail' | 'unknown' }

export type System = {
  readonly kind: SystemKind
  /** Options of the flow's side, provider included, as a worker is to reach it: through the proxies. */
  readonly side: Readonly<Record<string, unknown>>
  /** Puts this value there, creating the item if it must; null deletes it. Never throws: what is not known is `unknown`. */
  readonly edit: (key: string, value: string | null) => Promise<Edited>
  readonly all: () => Promise<ReadonlyArray<Standing>>
}

export const nothingDone = (before: string | null = null): Edited => ({ kind: undefined, before, result: 'ok' })

export type Sides = { readonly [side in SideName]: System }
