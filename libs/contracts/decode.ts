/**
 * Knows how bytes become a contract's type and back. Exact when speaking (what the codec does not name is left out),
 * tolerant when listening (what it does not name is no mistake).
 */
import * as t from 'io-ts'
import { E } from '../fp.ts'
import { exactly, isPlain } from './exact.ts'

export type BadMessage = { readonly is: 'bad-message'; readonly codec: string; readonly report: ReadonlyArray<string> }

/** A message contract: its name and version as they stand in the `Syncline-Schema` header, and its codec. */
export type Contract<A> = {
  readonly schema: string
  readonly codec: t.Type<A, unknown>
  /** The value without what the codec does not name. */
  readonly exact: (value: unknown) => unknown
  /** The value as it goes into JSON. */
  readonly spoken: (value: A) => unknown
  /** Reading a valid value answers that very value. */
  readonly isPlain: boolean
}

export const contract = <C extends t.Mixed>(schema: string, codec: C): Contract<t.TypeOf<C>> & { readonly codec: C } => {
  const plain = isPlain(codec)
  return { schema, codec, isPlain: plain, exact: exactly(codec), spoken: plain ? (value) => value : (value) => codec.encode(value) as unknown }
}

const bytesToText = new TextDecoder('utf-8', { fatal: true })

const beyondAscii = /[\u0080-\u00ff]/

/** Most messages are ASCII, for which the decoder is slow. */
const textOf = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return beyondAscii.test(text) ? bytesToText.decode(bytes) : text
}

export const encode = <A>(contractOf: Contract<A>, value: A): Uint8Array =>
  Buffer.from(JSON.stringify(contractOf.exact(contractOf.spoken(value))))

export const decode = <A>(contractOf: Contract<A>, body: Uint8Array): E.Either<BadMessage, A> => {
  const parsed = E.tryCatch(
    () => JSON.parse(textOf(body)) as unknown,
    (e): BadMessage => ({ is: 'bad-message', codec: contractOf.schema, report: [`not JSON: ${e instanceof Error ? e.message : String(e)}`] }),
  )
  return E.isLeft(parsed) ? parsed : decodeValue(contractOf, parsed.right)
}

export const decodeValue = <A>(contractOf: Contract<A>, value: unknown): E.Either<BadMessage, A> => {
  // `is` keeps no record of where it stands, which only a report needs
  if (contractOf.isPlain && contractOf.codec.is(value)) return E.right(value)
  const decoded = contractOf.codec.decode(value)
  return E.isRight(decoded) ? decoded : E.left({ is: 'bad-message', codec: contractOf.schema, report: reportOf(decoded.left) })
}

/** One line per mistake: path, what was expected, what was found. Values longer than 80 characters are cut. */
export const reportOf = (errors: t.Errors): ReadonlyArray<string> => {
  const lines = new Set<string>()
  for (const error of errors) {
    const path = error.context.map((c) => c.key).filter((key) => key !== '').join('.')
    const expected = error.context.at(-1)?.type.name ?? 'something else'
    const found = JSON.stringify(error.value) ?? 'nothing'
    lines.add(`${path === '' ? 'the body' : path}: expected ${expected}, found ${found.length > 80 ? `${found.slice(0, 77)}…` : found}`)
  }
  return [...lines]
}
