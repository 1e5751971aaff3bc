/** Knows which port a server gets: the wanted one, or a free one where that is allowed, or a reason why not. */
import { freePort, isFree } from '#libs/embedded/ports.ts'
import { E, TE } from '#libs/fp.ts'
import { whoListensOn } from './processes.ts'
import type { Refusal } from '../refusal.ts'
import { busy } from './not-up.ts'

export type PortWish = {
  /** 0 = any free one. */
  readonly port: number
  readonly ifTaken: 'refuse' | 'take-another'
}

/** `note` says why it is not the wanted one. */
export type ChosenPort = { readonly port: number; readonly note?: string }

/** `flag`: what to write for another port, such as `--port auto`. */
export const choosePort = (host: string, { port, ifTaken }: PortWish, what: string, flag: string): TE.TaskEither<Refusal, ChosenPort> => async () => {
  if (port === 0) return E.right({ port: await freePort(host) })
  if (await isFree(host, port)) return E.right({ port })
  const holder = await whoListensOn(port)
  const held = `port ${port} on ${host} is in use${holder === undefined ? '' : ` by ${holder}`}`
  if (ifTaken === 'take-another') return E.right({ port: await freePort(host), note: held })
  return E.left(busy(`${what}: ${held}`, `end what uses it, or choose another port: ${flag}`))
}
