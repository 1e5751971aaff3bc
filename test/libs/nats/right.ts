/** Knows how tests take the value out of an effect, or the failure, and bytes out of text. */
import { pause } from '../../support/pause.ts'
import type { E, TE } from '#libs/fp.ts'

export const right = async <L, R>(effect: TE.TaskEither<L, R>): Promise<R> => rightOf(await effect())

export const rightOf = <L, R>(result: E.Either<L, R>): R => {
  if (result._tag === 'Left') throw new Error(`unexpected failure: ${JSON.stringify(result.left)}`)
  return result.right
}

export const left = async <L, R>(effect: TE.TaskEither<L, R>): Promise<L> => {
  const result = await effect()
  if (result._tag === 'Right') throw new Error(`unexpected success: ${JSON.stringify(result.right)}`)
  return result.left
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (body: Uint8Array | null | undefined): string | null =>
  body === null || body === undefined ? null : new TextDecoder().decode(body)

/** Waits for a condition which no signal tells of. */
export const until = async (condition: () => boolean | Promise<boolean>, timeoutMs = 120_000): Promise<void> => {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited in vain')
    await pause(10)
  }
}
