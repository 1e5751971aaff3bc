/**
 * What a scenario needs of two real sides of one kind: the people who edit them, what they show, and marks that move with
 * every write of anybody. Knows no scenario.
 */
import type { Connector } from '#libs/connectors/connector.ts'
import type { Flow } from '#libs/domain/connection.ts'
import type { Sandbox } from '../../chaos/sandbox/provider.ts'

/** Names of different lengths, please: files have no finer clock than theirs. */
export type Entry = { readonly name: string; readonly mail?: string; readonly tags?: ReadonlyArray<string> }

export type Place = {
  readonly put: (key: string, entry: Entry) => Promise<void>
  readonly remove: (key: string) => Promise<void>
  readonly shown: () => Promise<Readonly<Record<string, Entry>>>
  /** By item, whatever changes with every write. */
  readonly marks: () => Promise<Readonly<Record<string, string>>>
  /** The same content under another version. */
  readonly touch: (key: string) => Promise<void>
  /** Another identity for what stands at the same place. */
  readonly rekey: (key: string, to: string) => Promise<void>
  /** The same item elsewhere; only where items have a place of their own. */
  readonly move?: (key: string) => Promise<void>
  /** A second item with the identity of the first; only where nothing forbids it. */
  readonly twin?: (key: string, entry: Entry) => Promise<void>
  /** Says when it was last edited; only where that is told to the engine. */
  readonly date?: (key: string, at: Date) => Promise<void>
}

export type Ground = {
  readonly connector: Connector
  readonly kind: Flow['kind']
  readonly places: readonly [Place, Place]
  readonly side: (name: 'a' | 'b') => Record<string, unknown> & { readonly provider: string }
  /** What the flow maps; nothing = all there is. */
  readonly fields?: Readonly<Record<string, string>>
  /** Another mapping by which the same is to be seen. */
  readonly otherFields: Readonly<Record<string, string>>
  readonly url?: string
  /** The checkpoint, where it stands beside the items. */
  readonly checkpoint?: () => Promise<{ readonly cursorA: string | null; readonly cursorB: string | null } | undefined>
  /** All cursors of the source are worth nothing from now on: too old, or of a time that the source has not come to yet. */
  readonly loseCursors?: (how: 'expired' | 'restored') => Promise<void>
  readonly sql?: (text: string) => Promise<ReadonlyArray<Record<string, unknown>>>
  readonly provider?: Sandbox
  /** Where its files are, and one without an identity of its own. */
  readonly folder?: { readonly path: (name: 'a' | 'b') => string; readonly extension: string; readonly nameless: (entry: Entry) => string }
  readonly stop: () => Promise<void>
}
