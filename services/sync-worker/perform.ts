/** Knows how the worker's effects are carried out, and holds the switches of the runs under way. */
import type { Verdict } from '#libs/actor/verdict.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import { E, TE } from '#libs/fp.ts'
import { handedBack, type Effect, type Message } from './actor.ts'
import { conclude } from './conclude.ts'
import type { LeaseTimes } from './lease.ts'
import { leaseMemory } from './lease-memory.ts'
import type { Ports } from './ports.ts'
import { stopSwitch, type StopSwitch } from './stop-switch.ts'
import { syncConnection, type RunEnd } from './sync.ts'

type Running = { readonly run: string; readonly stop: StopSwitch }

/** `ended` hears every result, for metrics. */
export const performer = (ports: Ports, times: LeaseTimes, ended: (result: RunResult) => void) => {
  const running = new Map<string, Running>()
  const play = syncConnection(ports, times, leaseMemory())
  const finish = conclude(ports, times.ttlMs)

  const playWork = async (work: Extract<Message, { is: 'work' }>): Promise<Verdict> => {
    const stop = stopSwitch()
    const mine: Running = { run: work.item.run, stop }
    running.set(work.item.conn, mine)
    let end: RunEnd | undefined
    try {
      end = await play({ item: work.item, attempt: work.attempt, trace: work.trace, stillWorking: work.stillWorking, stop })
      ended(end.result)
      return await finish(work.item, work.letter, end)
    } finally {
      // Whatever threw on the way, a lease that is kept and renewed by nobody's run would block the connection for good.
      await end?.hold?.release([])
      stop.dispose()
      if (running.get(work.item.conn) === mine) running.delete(work.item.conn)
    }
  }

  return (effect: Effect): TE.TaskEither<Verdict, void> => async () => {
    switch (effect.do) {
      case 'play': {
        const verdict = await playWork(effect.work)
        return verdict.is === 'done' ? E.right(undefined) : E.left(verdict)
      }
      case 'hand-back':
        return E.left(handedBack)
      case 'cancel': {
        const found = running.get(effect.conn)
        if (found === undefined) return E.right(undefined)
        found.stop.stop({ is: 'cancelled', message: effect.reason })
        effect.answer({ found: 'running', run: found.run, message: 'it stops now and keeps what was committed' })
        return E.right(undefined)
      }
      case 'stop-all':
        for (const { stop } of running.values()) stop.stop({ is: 'stopping', message: 'the worker is stopping' })
        return E.right(undefined)
    }
  }
}
