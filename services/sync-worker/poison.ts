/** Knows what becomes of a work item that cannot be read: kept whole as a dead letter with the decoder's report, then ended. */
import { poison, retryIn, type Verdict } from '#libs/actor/verdict.ts'
import type { BadMessage } from '#libs/contracts/decode.ts'
import { connectionInSubject } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Ports } from './ports.ts'

export type Unreadable = { readonly subject: string; readonly body: Uint8Array; readonly headers: () => Readonly<Record<string, string>>; readonly stream: string; readonly seq: number; readonly deliveryCount: number }

export const poisonLetter = async (ports: Ports, message: Unreadable, bad: BadMessage): Promise<Verdict> => {
  const at = ports.clock.now()
  const why = `not a ${bad.codec}: ${bad.report.join('; ')}`
  ports.log.warn('message.bad', { conn: connectionInSubject(message.subject), reason: why })
  const text = utf8(message.body)
  const said = await ports.sayDead({
    conn: connectionInSubject(message.subject),
    stream: message.stream,
    seq: message.seq,
    body: text ?? Buffer.from(message.body).toString('base64'),
    ...(text === undefined ? { bodyBase64: true } : {}),
    headers: { ...message.headers() },
    attempts: [{ attempt: message.deliveryCount, at, error: why }],
    at,
    why,
    writtenBy: 'worker',
  }, undefined)()
  return E.isLeft(said) ? retryIn(2_000, said.left.message) : poison(why, bad.report)
}

const utf8 = (body: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}
