/** Knows how to tell whether a service is there: by the ping that every NATS micro service answers. */
import { E } from '#libs/fp.ts'
import { ask } from '#libs/nats/ask.ts'
import type { Bus } from '#libs/nats/connect.ts'

export type Presence = 'answers' | 'silent' | 'not asked'

/** Pings answer in milliseconds. */
const patienceMs = 1_500

/** `name`: what `nats micro ls` shows. Not asked: this user has no right to. */
export const isAnswering = async (bus: Bus, name: string): Promise<Presence> => {
  const answer = await ask(bus)(`$SRV.PING.${name}`, new Uint8Array(), { timeoutMs: patienceMs })()
  if (E.isRight(answer)) return 'answers'
  return answer.left.is === 'denied' ? 'not asked' : 'silent'
}
