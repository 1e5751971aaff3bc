/** Counts every call that leaves the engine, to the sides and to the ports, and lets something happen before or after it. */
import type { Reader, Side } from '#libs/connectors/connector.ts'
import { E } from '#libs/fp.ts'
import type { Ports, StateStore } from '../../services/sync-worker/ports.ts'

/** What a killed process does: nothing more, ever. */
export class Broken extends Error {
  override readonly message = 'killed'
}

export type Tap = {
  calls: number
  dead: boolean
  at: (call: number, when: 'before' | 'after') => Promise<void>
}

type Call<A> = () => Promise<A>

/** A run that another one overtakes keeps its own place in the count. */
const tapped = <A>(tap: Tap, call: Call<A>): Call<A> => async () => {
  if (tap.dead) throw new Broken()
  const nth = tap.calls++
  await tap.at(nth, 'before')
  const answer = await call()
  await tap.at(nth, 'after')
  if (tap.dead) throw new Broken()
  return answer
}

export const tapSide = (tap: Tap, side: Side): Side => {
  const reader = (r: Reader): Reader => ({ ...r, next: tapped(tap, r.next) })
  const { ledger } = side
  return {
    ...side,
    read: (ask) => async () => {
      const opened = await tapped(tap, side.read(ask))()
      return E.isLeft(opened) ? opened : E.right(reader(opened.right))
    },
    fetch: (ids, signal) => tapped(tap, side.fetch(ids, signal)),
    find: (keys, signal) => tapped(tap, side.find(keys, signal)),
    write: (writes, signal) => tapped(tap, side.write(writes, signal)),
    ...(ledger === undefined ? {} : {
      ledger: {
        claim: (fence, signal) => tapped(tap, ledger.claim(fence, signal)),
        peek: (signal) => tapped(tap, ledger.peek(signal)),
        links: (keys, signal) => tapped(tap, ledger.links(keys, signal)),
        linksByRemoteA: (ids, signal) => tapped(tap, ledger.linksByRemoteA(ids, signal)),
        unseen: (gen, after, limit, signal) => tapped(tap, ledger.unseen(gen, after, limit, signal)),
        all: (after, limit, signal) => tapped(tap, ledger.all(after, limit, signal)),
        sizes: (signal) => tapped(tap, ledger.sizes(signal)),
        count: (gen, signal) => tapped(tap, ledger.count(gen, signal)),
        forget: (checkpoint, signal) => tapped(tap, ledger.forget(checkpoint, signal)),
        commit: (commit, signal) => tapped(tap, ledger.commit(commit, signal)),
      },
    }),
  }
}

export const tapPorts = (tap: Tap, ports: Ports): Ports => {
  const { state } = ports
  const watched: StateStore = {
    ...state,
    readCheckpoint: (...ask) => tapped(tap, state.readCheckpoint(...ask)),
    readPages: (...ask) => tapped(tap, state.readPages(...ask)),
    writeCheckpoint: (...ask) => tapped(tap, state.writeCheckpoint(...ask)),
    writeBatch: (...ask) => tapped(tap, state.writeBatch(...ask)),
  }
  return {
    ...ports,
    state: watched,
    askResolver: (...ask) => tapped(tap, ports.askResolver(...ask)),
    sayParked: (...ask) => tapped(tap, ports.sayParked(...ask)),
    sayArchived: (...ask) => tapped(tap, ports.sayArchived(...ask)),
  }
}
