/** Makes the dead letter of a request that can never become work; it keeps the message whole. */
import type { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { connectionInSubject } from '#libs/contracts/subjects.ts'

/** A message out of the mailbox, as it came. */
export type Letter = {
  readonly subject: string
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly stream: string
  readonly seq: number
  /** ms since the epoch, by the server's clock. */
  readonly storedAt: number
  readonly deliveries: number
}

export const deadLetterOf = (letter: Letter, { reason, report }: { readonly reason: string; readonly report: ReadonlyArray<string> }, now: number): DeadLetter => {
  const why = report.length === 0 ? reason : `${reason}: ${report.join('; ')}`
  return {
    conn: connectionInSubject(letter.subject), stream: letter.stream, seq: letter.seq, headers: { ...letter.headers },
    attempts: [{ attempt: letter.deliveries, at: now, error: why }], at: now, why, writtenBy: 'scheduler', ...bodyOf(letter.body),
  }
}

const bodyOf = (body: Uint8Array): { readonly body: string; readonly bodyBase64?: boolean } => {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true }).decode(body) }
  } catch {
    return { body: Buffer.from(body).toString('base64'), bodyBase64: true }
  }
}
