/**
 * Random drives on the small rig: edits on both sides, a provider that misbehaves, workers that are overtaken in the middle of
 * a request, requests that land late, lost answers of the state store. Told by the seed alone, but for what the machine's own
 * timing adds.
 */
import { E } from '#libs/fp.ts'
import type { StateStore } from '../../services/sync-worker/ports.ts'
import type { Mutant } from '../properties/world.ts'
import type { Gate, Stage } from './mutants-bench.ts'
import type { Played } from './mutants-worker.ts'
import { chanceOf, type Chance } from './prng.ts'
import type { Fault, Verb } from './sandbox/fault.ts'

const keys = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'] as const
const writes: ReadonlyArray<Verb> = ['CREATE', 'UPDATE', 'DELETE']
const faults: ReadonlyArray<Fault['do']> = ['503', '429', '500', '410', 'empty', 'truncated', 'no-token', 'duplicated', 'shuffled', 'cut', 'lost-response', 'lost-response']

/** The store now and then does what it is asked, and the answer is lost. */
export const lossy = (seed: number, mutant?: Mutant): Mutant => {
  const chance = chanceOf(seed)
  const lost = <A, F>(written: E.Either<F, A>): E.Either<F | { readonly is: 'unknown'; readonly message: string }, A> =>
    E.isRight(written) && chance.next() < 0.1 ? E.left({ is: 'unknown', message: 'the answer was lost' }) : written
  const store = (state: StateStore): StateStore => ({
    ...state,
    writeLease: (...ask) => async () => lost(await state.writeLease(...ask)()),
    writeCheckpoint: (...ask) => async () => lost(await state.writeCheckpoint(...ask)()),
    writeBatch: (batch) => async () => lost(await state.writeBatch(batch)()),
  })
  return {
    ...mutant,
    name: mutant?.name ?? 'whole',
    ports: (ports, rig) => {
      const lossyPorts = { ...ports, state: store(ports.state) }
      return mutant?.ports?.(lossyPorts, rig) ?? lossyPorts
    },
  }
}

export const randomDrive = (seed: number, steps: number) => async (stage: Stage): Promise<void> => {
  const chance = chanceOf(seed)
  const workers: ReadonlyArray<Played> = [await stage.worker('w1'), await stage.worker('w2')]
  const held: Array<Gate> = []
  const runs: Array<Promise<unknown>> = []
  let values = 0
  const edit = (): void => stage.edit(chance.pick(['A', 'B'] as const), chance.pick(keys), chance.next() < 0.2 ? null : `w1-${(values += 1)}`)
  const worker = (): Played => chance.pick(workers)

  for (const key of keys.slice(0, 6)) stage.edit('A', key, `w1-${(values += 1)}`)
  await worker().play()
  for (let step = 0; step < steps; step++) {
    const draw = chance.next()
    if (draw < 0.45) edit()
    else if (draw < 0.65) await worker().play()
    else if (draw < 0.77) stage.sandbox.faults.add({ do: chance.pick(faults), times: chance.between(1, 3), ...(chance.next() < 0.5 ? { verbs: writes } : {}) })
    else if (draw < 0.8) stage.side(chance.pick(['A', 'B'] as const)).expire()
    else if (draw < 0.95) await overtaken(stage, chance, workers, edit, held, runs)
    else held.shift()?.open()
  }
  for (const { open } of held) open()
  await Promise.all(runs)
}

/** A request of a run is kept waiting; meanwhile clients edit, or the lease lapses and another worker plays. */
const overtaken = async (stage: Stage, chance: Chance, [first, second]: ReadonlyArray<Played>, edit: () => void, held: Array<Gate>, runs: Array<Promise<unknown>>): Promise<void> => {
  if (first === undefined || second === undefined || held.length > 0) return
  const onWrites = chance.next() < 0.7
  const gate = stage.gate(({ verb, worker }) => worker === 'w1' && (!onWrites || writes.includes(verb)))
  const run = first.play()
  runs.push(run)
  const isThere = await Promise.race([gate.reached.then(() => true), run.then(() => false)])
  if (!isThere) return gate.open()
  for (let n = chance.between(0, 3); n > 0; n--) edit()
  if (chance.next() < 0.6) {
    await stage.lapse()
    await second.play()
  }
  if (chance.next() < 0.3) return void held.push(gate)
  gate.open()
  await run
}
