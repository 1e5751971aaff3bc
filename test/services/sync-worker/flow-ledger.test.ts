/** Both ledgers of spooled flows, in KV and beside the rows, against the plainest one: whatever is loaded, let go of and stored. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memorySide } from '#libs/connectors/memory/memory.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { openBesideLedger } from '../../../services/sync-worker/beside-ledger.ts'
import type { FlowLedger } from '../../../services/sync-worker/flow-ledger.ts'
import { openKvLedger } from '../../../services/sync-worker/kv-ledger.ts'
import { bench, checkpoint, conn, flow } from '../../support/hold-rig.ts'

const right = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}
const bare: Checkpoint = checkpoint('here', { pages: 0, links: 0 })

/** Opens the ledger of the same flow again, as a later step of the same run. */
type Open = (believed: boolean) => Promise<FlowLedger>

const inStore = async (): Promise<Open> => {
  const { state, one } = bench()
  const hold = await one.take()
  return async (believed) => {
    const stored = right(await state.readCheckpoint(conn, flow)())
    return openKvLedger(state, hold, conn, flow, { checkpoint: stored?.value ?? null, revision: stored?.revision ?? 0, believed: believed && stored !== null })
  }
}
const besideRows = async (): Promise<Open> => {
  const hold = await bench().one.take()
  const { signal } = new AbortController()
  const { ledger } = memorySide(memoryStore('b'), { transactional: true })
  if (ledger === undefined) throw new Error('expected a ledger')
  right(await ledger.claim(hold.fence, signal)())
  return async (believed) => openBesideLedger({ hold, signal, whyStopped: () => ({ is: 'fenced', message: '' }) }, ledger, { checkpoint: right(await ledger.peek(signal)()), believed, noted: async () => E.right(undefined) })
}

type Step =
  | { readonly do: 'put' | 'drop' | 'load'; readonly keys: ReadonlyArray<number> }
  | { readonly do: 'letGo' | 'loadAll' | 'reopen' | 'distrust' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('put' as const, 'put' as const, 'drop' as const, 'load' as const), keys: fc.uniqueArray(fc.nat(400), { maxLength: 150 }) }),
  fc.record({ do: fc.constantFrom('letGo' as const, 'letGo' as const, 'loadAll' as const, 'reopen' as const, 'distrust' as const) }),
)

const play = async (open: Open, steps: ReadonlyArray<Step>): Promise<void> => {
  const model = new Map<string, Link>()
  let ledger = await open(true)
  let isStored = false
  const agrees = async (keys: ReadonlyArray<string>): Promise<void> => {
    for (const key of keys) expect(ledger.links.get(key), key).toEqual(model.get(key))
    expect([...ledger.links].filter(([key, link]) => model.get(key)?.why !== link.why)).toEqual([])
    expect(ledger.linkCount()).toBe(model.size)
    expect(ledger.isWhole()).toBe(true)
  }
  for (const [n, now] of steps.entries()) {
    switch (now.do) {
      case 'put': {
        const puts = now.keys.map((key): readonly [string, Link] => [ledger.keyOf(`item ${key}`), { key: `item ${key}`, st: (key + n) % 7 === 0 ? 'parked' : 'linked', why: `${n}` }])
        const saved = right(await ledger.commit(puts, [], bare))
        for (const [key, link] of puts) model.set(key, link)
        expect(saved).toMatchObject({ links: model.size, parked: [...model.values()].filter(({ st }) => st === 'parked').length })
        isStored = true
        break
      }
      case 'drop': {
        const drops = now.keys.map((key) => ledger.keyOf(`item ${key}`))
        right(await ledger.commit([], drops, bare))
        for (const key of drops) model.delete(key)
        isStored = true
        break
      }
      case 'load': {
        const keys = now.keys.map((key) => ledger.keyOf(`item ${key}`))
        right(await ledger.load(keys))
        await agrees(keys)
        break
      }
      case 'letGo':
        ledger.letGo()
        expect(ledger.links.size).toBe(0)
        break
      case 'loadAll':
        right(await ledger.load('all'))
        await agrees([...model.keys()])
        break
      case 'reopen':
        if (isStored) ledger = await open(true)
        break
      case 'distrust':
        // What was stored is no base any more; with the first commit it is gone for good.
        ledger = await open(false)
        model.clear()
        isStored = false
        break
    }
  }
  if (!isStored) right(await ledger.commit([], [], bare))
  ledger = await open(true)
  right(await ledger.load('all'))
  await agrees([...model.keys()])
}

describe.each([['in KV', inStore], ['beside the rows', besideRows]] as const)('a ledger %s', (_where, make) => {
  it('knows what was stored in it, whatever it let go of in between', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => play(await make(), steps)), {
      numRuns: 120,
      examples: [[[{ do: 'put', keys: [1, 2] }, { do: 'distrust' }, { do: 'letGo' }, { do: 'put', keys: [1] }, { do: 'letGo' }, { do: 'put', keys: [3] }, { do: 'letGo' }, { do: 'loadAll' }]]],
    })
  }, 60_000)
})
