/**
 * Knows which links of a flow that stand beside the rows of its destination are at hand, and how many there are. Only those
 * that were asked for are read. Stores nothing.
 */
import type { TransactionalLedger } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E, type TE } from '#libs/fp.ts'
import { isAside } from './aside.ts'
import { countBeside } from './count-beside.ts'
import type { FlowLedger, Remembering } from './flow-ledger.ts'
import type { FlowContext } from './run-context.ts'

type Done<A> = Promise<E.Either<SyncFailure, A>>

/** All of a flow's links, and those among them that are set aside. */
export type Numbers = { readonly links: number; readonly parked: number }

export type BesideLinks = Pick<FlowLedger, 'links' | 'isWhole' | 'load' | 'letGo'> & {
  readonly loadBySource: NonNullable<FlowLedger['loadBySource']>
  readonly recount: NonNullable<FlowLedger['recount']>
  readonly numbers: () => Numbers
  /** The numbers once these are stored; their links must have been loaded. */
  readonly numbersAfter: (settled: Remembering) => Numbers
  /** These are stored. */
  readonly stored: (settled: Remembering) => void
}

/** Links asked for in one statement, or read in one page. */
const atOnce = 5_000

/** `before`: the numbers as the checkpoint tells them; null = nothing is linked. */
export const besideLinks = ({ hold, signal }: Pick<FlowContext, 'hold' | 'signal'>, beside: TransactionalLedger, before: Numbers | null): BesideLinks => {
  const links = new Map<string, Link>()
  /** Link keys that were asked for, whether there is such a link or not. */
  const asked = new Set<string>()
  let isAllLoaded = before === null
  let numbers: Numbers = before ?? { links: 0, parked: 0 }
  let whole = true

  /** Links of a successor would make what we looked at before look like edits: whoever read them asks whose they are. */
  const still = async (): Done<void> => {
    const now = await beside.peek(signal)()
    if (E.isLeft(now)) return here(now)
    return (now.right?.fence ?? 0) > hold.fence ? E.left({ is: 'fenced', message: `a later run than ${hold.fence} has stored links beside the rows` }) : E.right(undefined)
  }

  const loadAll = async (): Done<void> => {
    for (let after = ''; ;) {
      const page = await beside.all(after, atOnce, signal)()
      if (E.isLeft(page)) return here(page)
      for (const [key, link] of page.right) links.set(key, link)
      after = page.right.at(-1)?.[0] ?? ''
      if (page.right.length < atOnce) break
    }
    isAllLoaded = true
    // Counted anew when all is at hand: somebody may have dropped some.
    whole &&= numbers.links === links.size
    numbers = { links: links.size, parked: [...links.values()].filter(isAside).length }
    return still()
  }

  const loadSome = async (wanted: ReadonlyArray<string>, find: (some: ReadonlyArray<string>) => TE.TaskEither<SyncFailure, ReadonlyMap<string, Link>>): Done<void> => {
    if (isAllLoaded || wanted.length === 0) return E.right(undefined)
    for (let from = 0; from < wanted.length; from += atOnce) {
      const found = await find(wanted.slice(from, from + atOnce))()
      if (E.isLeft(found)) return here(found)
      for (const [key, link] of found.right) {
        links.set(key, link)
        asked.add(key)
      }
    }
    return still()
  }

  const load = async (wanted: ReadonlyArray<string> | 'all'): Done<void> => {
    if (wanted === 'all') return isAllLoaded ? E.right(undefined) : loadAll()
    const missing = [...new Set(wanted)].filter((key) => !asked.has(key))
    const loaded = await loadSome(missing, (keys) => beside.links(keys, signal))
    if (E.isRight(loaded)) for (const key of missing) asked.add(key)
    return loaded
  }

  const recount = async (): Done<void> => {
    const counted = await countBeside(beside, numbers.links, signal)
    if (E.isLeft(counted)) return here(counted)
    if (counted.right === undefined) return E.right(undefined)
    whole = false
    numbers = counted.right
    return still()
  }

  const numbersAfter = ({ puts, drops }: Remembering): Numbers => {
    const after = new Map<string, Link | undefined>()
    for (const key of drops) after.set(key, undefined)
    for (const [key, link] of puts) after.set(key, link)
    let { links: all, parked } = numbers
    for (const [key, link] of after) {
      const was = links.get(key)
      all += Number(link !== undefined) - Number(was !== undefined)
      parked += Number(link !== undefined && isAside(link)) - Number(was !== undefined && isAside(was))
    }
    return { links: all, parked }
  }

  return {
    links, load, recount, numbersAfter,
    isWhole: () => whole,
    loadBySource: (remoteIds) => loadSome(remoteIds, (ids) => beside.linksByRemoteA(ids, signal)),
    letGo: () => {
      links.clear()
      asked.clear()
      isAllLoaded = false
    },
    numbers: () => numbers,
    stored: (settled) => {
      numbers = numbersAfter(settled)
      for (const key of settled.drops) links.delete(key)
      for (const [key, link] of settled.puts) links.set(key, link)
    },
  }
}

/** Whatever fails there fails at the destination. */
export const here = <A>(answer: E.Either<SyncFailure, A>): E.Either<SyncFailure, A> => (E.isLeft(answer) ? E.left({ ...answer.left, side: 'destination' }) : answer)
