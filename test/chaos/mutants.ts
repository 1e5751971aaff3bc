/**
 * The negative controls (SYNC.md §F.6): for each safety the engine without it, a drive that needs it, and the invariant that
 * must notice. The mutants are those of test/properties: made from the outside, by what an engine's sides and ports are wrapped
 * in.
 */
import type { LeaseEntry } from '#libs/contracts/state.ts'
import { pipe, TE } from '#libs/fp.ts'
import { mutants as ofTheEngine } from '../properties/mutants.ts'
import type { Mutant } from '../properties/world.ts'
import type { InvariantName } from './checker/invariant.ts'
import type { Stage, StageOptions } from './mutants-bench.ts'

export type Control = {
  readonly safety: string
  readonly without: () => Mutant
  /** Each of these must be violated without the safety, and hold with it. */
  readonly caughtBy: ReadonlyArray<InvariantName>
  readonly stage?: Omit<StageOptions, 'mutant'>
  readonly drive: (stage: Stage) => Promise<void>
}

const named = (start: string): (() => Mutant) => {
  const found = ofTheEngine.find(({ mutant }) => mutant().name.startsWith(start))
  if (found === undefined) throw new Error(`no mutant is called "${start}…"`)
  return found.mutant
}

const items = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => `k${n + 1}`)

/** Both sides hold so many items, and know of each other. */
const inStep = async (stage: Stage, count: number): Promise<void> => {
  for (const key of items(count)) stage.edit('A', key, `w1-${key.slice(1)}`)
  await (await stage.worker('first')).play()
}

/** Somebody edits the item while our update of it is under way. */
const editedMeanwhile = async (stage: Stage): Promise<void> => {
  await inStep(stage, 2)
  stage.edit('A', 'k1', 'w1-11')
  const gate = stage.gate(({ verb }) => verb === 'UPDATE')
  const run = (await stage.worker('second')).play()
  await gate.reached
  stage.edit('B', 'k1', 'w2-1')
  gate.open()
  await run
}

/** The look at the lease before it decides again would stop an overtaken worker as well: both are taken away. */
const neverFenced = (): Mutant => {
  const bare = named('no fence')()
  return {
    ...bare,
    ports: (ports, rig) => {
      const inner = bare.ports?.(ports, rig) ?? ports
      let mine: LeaseEntry | undefined
      return {
        ...inner,
        state: {
          ...inner.state,
          writeLease: (conn, entry, expected, ttlSeconds) => pipe(inner.state.writeLease(conn, entry, expected, ttlSeconds), TE.map((revision) => {
            mine = entry
            return revision
          })),
          readLease: (conn) => pipe(inner.state.readLease(conn), TE.map((seen) => (mine === undefined ? seen : { ...seen, entry: mine }))),
        },
      }
    },
  }
}

/** What an id without the content in it does: the second version of an item in one run is taken for the first again. */
const archivesOnce = (): Mutant => {
  const kept = new Set<string>()
  return {
    name: 'the archive keeps one version of an item in a run',
    ports: (ports) => ({
      ...ports,
      sayArchived: (replaced, trace) => ports.sayArchived(replaced.filter(({ version: { run, key, side } }) => {
        const id = `${run}/${key}/${side}`
        const isFirst = !kept.has(id)
        kept.add(id)
        return isFirst
      }), trace),
    }),
  }
}

export const controls: ReadonlyArray<Control> = [
  {
    safety: 'state is written under the lease only',
    without: neverFenced,
    caughtBy: ['I6'],
    // A worker's write is under way when its lease lapses; another one plays the run; then the first goes on.
    drive: async (stage) => {
      for (const key of items(3)) stage.edit('A', key, `w1-${key.slice(1)}`)
      const [zombie, next] = [await stage.worker('zombie'), await stage.worker('next')]
      const gate = stage.gate(({ worker, verb }) => worker === 'zombie' && verb === 'CREATE')
      const late = zombie.play()
      await gate.reached
      await stage.lapse()
      await next.play()
      gate.open()
      await late
    },
  },
  {
    safety: 'writes expect the version that was read',
    without: named('writes carry no precondition'),
    caughtBy: ['I7', 'I1'],
    drive: editedMeanwhile,
  },
  { safety: 'losers are archived', without: named('no archive'), caughtBy: ['I1'], drive: editedMeanwhile },
  { safety: 'each version that is overwritten is archived', without: archivesOnce, caughtBy: ['I1'], drive: editedMeanwhile },
  {
    safety: 'the cursor moves after the writes',
    without: named('the cursor moves before'),
    caughtBy: ['I8', 'I3'],
    // The write does not get through, and the worker is never heard of again.
    drive: async (stage) => {
      await inStep(stage, 2)
      stage.edit('A', 'k1', 'w1-11')
      stage.sandbox.faults.set([{ do: 'cut', verbs: ['UPDATE'] }])
      await (await stage.worker('second')).play()
    },
  },
  {
    safety: 'the consistency horizon',
    without: named('no consistency horizon'),
    caughtBy: ['I5'],
    stage: { flow: { horizonMs: 3_600_000 }, B: { delta: false } },
    // What was written does not show yet.
    drive: async (stage) => {
      await inStep(stage, 2)
      stage.side('B').settings = { ...stage.side('B').settings, lateMs: 3_600_000 }
      stage.edit('A', 'k9', 'w1-9')
      const second = await stage.worker('second')
      await second.play()
      stage.edit('A', 'k2', null)
      await second.play()
    },
  },
  {
    safety: 'the guards',
    without: named('no guard'),
    caughtBy: ['I5'],
    stage: { A: { delta: false } },
    // A side answers as if it held nothing.
    drive: async (stage) => {
      await inStep(stage, 12)
      stage.edit('A', 'k12', null)
      stage.sandbox.faults.set([{ do: 'amnesia', collection: stage.name('A') }])
      await (await stage.worker('second')).play()
    },
  },
  {
    safety: 'equal contents are adopted',
    without: named('no adopt rule'),
    caughtBy: ['I2'],
    // The answer to a create is lost, so that it is there and nobody knows of it.
    drive: async (stage) => {
      stage.edit('A', 'k1', 'w1-1')
      stage.sandbox.faults.set([{ do: 'lost-response', verbs: ['CREATE'], times: 1 }])
      const worker = await stage.worker('first')
      await worker.play()
      await worker.play()
    },
  },
]
