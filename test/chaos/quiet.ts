/** Knows when a house is quiet: by the results of runs as they are told, and by what is left in its queues. */
import { setTimeout as sleep } from 'node:timers/promises'
import { decode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { subscribe } from '#libs/nats/subscribe.ts'
import type { UnderTest } from './connections.ts'
import { monotonic } from './history.ts'
import type { House } from './house.ts'

/** No new ticks, and what is queued is worked off: what is left then is stuck. */
export const drained = async (house: House, patienceMs: number, tell: (line: string) => void): Promise<void> => {
  const isEmpty = async (stream: string): Promise<boolean> => {
    const info = await streamInfo(house.bus)(stream)()
    return E.isRight(info) && info.right.messages === 0
  }
  const wait = async (stream: string): Promise<void> => {
    const end = monotonic() + patienceMs
    while (!(await isEmpty(stream))) {
      if (monotonic() > end) return tell(`${stream} is not empty after ${Math.round(patienceMs / 1_000)} s`)
      await sleep(200)
    }
  }
  await wait(streams.requests)
  await house.services.get('scheduler')?.kill()
  await wait(streams.work)
}

/** Quiet runs of each connection in a row, as their results are heard. */
export const quietRounds = (house: House) => {
  const inARow = new Map<string, number>()
  const ran = new Map<string, number>()
  subscribe(house.bus, {
    subject: subjects.results, onError: () => undefined,
    handle: ({ body }) => {
      const decoded = decode(RunResult, body)
      if (E.isLeft(decoded) || decoded.right.outcome === 'skipped') return
      const { conn, outcome, quiet } = decoded.right
      ran.set(conn, (ran.get(conn) ?? 0) + 1)
      inARow.set(conn, outcome === 'succeeded' && quiet ? (inARow.get(conn) ?? 0) + 1 : 0)
    },
  })
  const least = (of: ReadonlyMap<string, number>, connections: ReadonlyArray<UnderTest>): number => Math.min(...connections.map(({ conn }) => of.get(conn) ?? 0))
  return {
    least: (connections: ReadonlyArray<UnderTest>, wanted: number): boolean => least(inARow, connections) >= wanted,
    runs: (connections: ReadonlyArray<UnderTest>): number => least(ran, connections),
    forget: (): void => {
      inARow.clear()
      ran.clear()
    },
  }
}

export const until = async (what: string, holds: () => boolean, withinMs: number, signal: AbortSignal): Promise<void> => {
  const end = monotonic() + withinMs
  while (!holds()) {
    if (signal.aborted) throw new Error('ended on request')
    if (monotonic() > end) throw new Error(`not within ${Math.round(withinMs / 1_000)} s: ${what}`)
    await sleep(100)
  }
}
