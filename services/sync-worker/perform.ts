/** Knows how the worker's effects are carried out, and holds the switches of the runs under way. */
import type { Verdict } from '#libs/actor/verdict.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import { E, TE } from '#libs/fp.ts'
import { handedBack, type Effect, type Message } from './actor.ts'
import { conclude } from './conclude.ts'
import type { LeaseTimes } from './lease.ts'
import type { Ports } from './ports.ts'
import { stopSwitch, type StopSwitch } from './stop-switch.ts'
import { syncConnection } from './sync.ts'

/** `tell` posts a message to the actor itself. `ended` hears every result, for metrics. */
export const performer = (ports: Ports, times: LeaseTimes, tell: (message: Message) => void, ended: (result: RunResult) => void) => {
  const switches = new Map<string, StopSwitch>()
  const play = syncConnection(ports, times, new Map())
  const finish = conclude(ports)

  const playWork = async (work: Extract<Message, { is: 'work' }>): Promise<Verdict> => {
    const stop = stopSwitch()
    switches.set(work.item.conn, stop)
    try {
      const end = await play({ item: work.item, attempt: work.attempt, trace: work.trace, stillWorking: work.stillWorking, stop })
      ended(end.result)
      return await finish(work.item, work.letter, end)
    } finally {
      stop.dispose()
      if (switches.get(work.item.conn) === stop) switches.delete(work.item.conn)
      tell({ is: 'ended', conn: work.item.conn, run: work.item.run })
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
      case 'stop-run':
        switches.get(effect.conn)?.stop({ is: effect.why, message: effect.reason })
        return E.right(undefined)
      case 'answer':
        effect.answer(effect.found)
        return E.right(undefined)
    }
  }
}
