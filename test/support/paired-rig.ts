/** Two memory sides with the ledger beside the second, and from how many changes on a run goes through them page by page. */
import type { MemoryOptions } from '#libs/connectors/memory/options.ts'
import type { MemoryStore } from '#libs/connectors/memory/store.ts'
import type { Link } from '#libs/domain/link.ts'
import type { FlowResult, RunResult } from '#libs/contracts/result.ts'
import type { WorkItem } from '#libs/contracts/work-item.ts'
import { engineRig, type EngineRig } from './engine-rig.ts'

export type More = { readonly a?: MemoryOptions; readonly b?: MemoryOptions; readonly connection?: Record<string, unknown>; readonly flow?: Record<string, unknown> }
export type Rig = EngineRig & { readonly run: (item?: Partial<WorkItem>) => Promise<RunResult> }

/** `above`: from how many changes on it goes page by page. */
export const rigOf = (above: number, { a = {}, b = {}, connection = {}, flow = {} }: More = {}): Rig => {
  const rig = engineRig({ connection, flow: { kind: 'row', ...flow }, a: { pageSize: 2, ...a }, b: { pageSize: 3, ...b, transactional: true } })
  return { ...rig, run: async (item) => {
    const end = await rig.play(item, { ports: { ...rig.ports, pairedAbove: above } })
    return end.result
  } }
}

/** Known by its key, as rows are; what the engine makes there has an id of the store's. */
export const put = (store: MemoryStore, key: string, value: string): void => void store.put({ key, remoteId: store.byKey(key)[0]?.remoteId ?? `row ${key}`, fields: { v: value } })
export const shown = (store: MemoryStore): Record<string, unknown> => Object.fromEntries(store.all().map(({ key, fields }) => [key, fields['v']]))
export const flowOf = ({ flows }: RunResult): FlowResult => {
  const [flow] = flows
  if (flow === undefined) throw new Error('expected a flow')
  return flow
}
export const checkpointOf = ({ b }: EngineRig) => [...b.ledgers.values()][0]?.checkpoint ?? null
export const linksOf = ({ b }: EngineRig): ReadonlyMap<string, Link> => [...b.ledgers.values()][0]?.links ?? new Map()
