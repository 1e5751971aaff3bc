/**
 * Knows the story of one chaos run: seed and first sync, load and nemeses, heal, wait until it is quiet, two rounds that must be
 * silent, dump. Everything goes into the history; judges nothing.
 */
import { readFile, rm } from 'node:fs/promises'
import { applyConnection, makeConnections, pairedOf } from './connections.ts'
import { dump } from './dump.ts'
import { monotonic, readHistory, recorder, type History, type Phase, type Remote } from './history.ts'
import { openHouse } from './house.ts'
import { watchMemory } from './memory.ts'
import { chanceOf } from './prng.ts'
import { drained, quietRounds, until } from './quiet.ts'
import { leasesIn } from './state-tape.ts'
import { scheduleOf, type Strike, type What } from './schedule.ts'
import type { Folder, FolderShot } from './systems/folder.ts'
import { revive, torment } from './torment.ts'
import { seedItems, startLoad } from './workload.ts'

export type RunOptions = {
  readonly seed: number
  readonly loadMs: number
  readonly historyFile: string
  readonly workers?: number
  readonly items?: number
  readonly clients?: number
  readonly opsPerSecond?: number
  /** Of the random nemeses only these, in this order. */
  readonly only?: ReadonlyArray<What>
  /** Exactly these, instead of what the seed says. */
  readonly strikes?: (leaseTtlMs: number) => ReadonlyArray<Strike>
  /** Default: 3 s, and longer where the machine is slow. */
  readonly leaseTtlMs?: number
  /** How often each connection is synced. */
  readonly everyMs?: number
  readonly workerMain?: string
  /** How long things may take that are not under test: the start of processes, the end of retries. */
  readonly patienceMs: number
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
}

export type RunDone = { readonly history: History; /** Secrets that were used. */ readonly canaries: ReadonlyArray<string>; readonly converged: boolean; readonly strikes: ReadonlyArray<Strike>; readonly ops: { readonly ok: number; readonly fail: number; readonly unknown: number } }

export const runChaos = async (options: RunOptions): Promise<RunDone> => {
  const { seed, loadMs, historyFile, patienceMs, tell, signal, workers: count = 3, items = 100, clients = 4, opsPerSecond = 10, everyMs = 2_000 } = options
  await rm(historyFile, { force: true })
  const history = recorder(historyFile)
  const record = history.write
  const chance = chanceOf(seed)
  const workerNames = Array.from({ length: count }, (_, n) => `w${n + 1}`)
  const begin = { is: 'begin', at: monotonic(), wallAt: Date.now(), seed, minutes: loadMs / 60_000, workers: workerNames } as const
  const phase = (name: Phase['phase'], round?: number): void => record({ is: 'phase', at: monotonic(), phase: name, ...(round === undefined ? {} : { round }) })

  tell(`seed ${seed}: starting`)
  const house = await openHouse({ workers: count, record, readyWithinMs: patienceMs, notesBase: historyFile, ...(options.leaseTtlMs === undefined ? {} : { leaseTtlMs: options.leaseTtlMs }), ...(options.workerMain === undefined ? {} : { workerMain: options.workerMain }) })
  const { leaseTtlMs } = house
  record({ ...begin, leaseTtlMs })
  const strikes = options.strikes?.(leaseTtlMs) ?? scheduleOf(chance.fork('nemeses'), { forMs: loadMs, leaseTtlMs, workers: workerNames, ...(options.only === undefined ? {} : { only: options.only }) })
  const watch = watchMemory(house, record)
  try {
    const connections = await makeConnections(house)
    for (const one of connections) record(pairedOf(one))
    await seedItems(connections, items, record)
    const quiet = quietRounds(house)
    for (const one of connections) await applyConnection(house, one, everyMs)
    await until('the first sync of every connection', () => quiet.least(connections, 1), patienceMs, signal)
    await house.tables.b.watchSidecar()

    phase('load')
    tell(`${connections.length} connections in step, leases of ${leaseTtlMs / 1_000} s; load for ${Math.round(loadMs / 1_000)} s, ${strikes.length} nemeses`)
    const load = startLoad(connections, { clients, perSecond: opsPerSecond, items, chance: chance.fork('load'), record })
    await torment({ house, connections: connections.map(({ conn }) => conn), strikes, loadMs, record, tell, signal })
    await load.stop()

    phase('heal')
    tell('healed; waiting until it is quiet')
    await revive(house)
    quiet.forget()
    const converged = await until('two quiet runs of every connection', () => quiet.least(connections, 2), patienceMs, signal).then(() => true, () => false)
    if (converged) {
      phase('converged')
      const folders = connections.flatMap(({ conn, sides }) => (['A', 'B'] as const).flatMap((side) => (sides[side].kind === 'folder' ? [{ conn, side, folder: sides[side] as Folder }] : [])))
      const before = await Promise.all(folders.map(({ folder }) => folder.shot()))
      for (const round of [1, 2]) {
        phase('silence', round)
        quiet.forget()
        // The first to end may have begun before: the second did not.
        await until(`round ${round} of silence`, () => quiet.runs(connections) >= 2, patienceMs, signal)
      }
      for (const [n, { conn, side, folder }] of folders.entries()) for (const remote of differences(before[n] ?? new Map(), await folder.shot())) record({ ...remote, conn, side })
    }
    await drained(house, patienceMs, tell)
    phase('end')
    await dump(house, connections, record)
    await house.stop()
    for (const notes of house.notes) {
      for (const note of await notesIn(notes)) record(note)
      await rm(notes, { force: true })
    }
    for (const lease of leasesIn(readHistory(historyFile).filter((one) => one.is === 'publish'))) record(lease)
    return { history: readHistory(historyFile), canaries: house.canaries, converged, strikes, ops: load.counts() }
  } finally {
    watch.stop()
    await house.stop()
  }
}

const differences = (before: FolderShot, after: FolderShot): ReadonlyArray<Omit<Remote, 'conn' | 'side'>> => {
  const at = monotonic()
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].flatMap((name): ReadonlyArray<Omit<Remote, 'conn' | 'side'>> => {
    const [was, is] = [before.get(name), after.get(name)]
    if (was?.id === is?.id) return []
    const verb = was === undefined ? 'CREATE' : is === undefined ? 'DELETE' : 'UPDATE'
    return [{ is: 'remote', at, by: 'folder', verb, key: (is ?? was)?.standing.key ?? name, remoteId: name, value: is?.standing.value ?? null, was: was?.standing.value ?? null, status: 200, applied: true }]
  })
}

/** What a worker wrote down beside the history. */
const notesIn = async (file: string): Promise<History> => readFile(file).then(() => readHistory(file), () => [])

