/**
 * Knows the forms a value in the file may have: each reads one value, or tells what is wrong with it and answers
 * undefined, so that the reading goes on and every mistake is told at once. Does not know connections.
 */
import { nearest } from './did-you-mean.ts'
import { parseDuration } from './duration.ts'
import { shown, type Path } from './mistake.ts'

export type Told = { readonly expected: string; readonly found?: string; readonly problem?: string; readonly mend?: string; readonly on?: 'key' }
export type Tell = (path: Path, told: Told & { readonly found: string }) => void

/** One value and where it stands. */
export type At = { readonly value: unknown; readonly path: Path; readonly tell: Tell }

export type Form<A> = (at: At) => A | undefined

export const wrong = ({ value, path, tell }: At, told: Told): undefined => {
  tell(path, { found: shown(value), ...told })
}

export const inside = (at: At, step: string | number): At => ({
  ...at, path: [...at.path, step],
  value: Array.isArray(at.value) ? (at.value[Number(step)] as unknown) : isMapping(at.value) && Object.hasOwn(at.value, step) ? at.value[step] : undefined,
})

export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

export const text: Form<string> = (at) => (typeof at.value === 'string' && at.value !== '' ? at.value : wrong(at, { expected: 'a text' }))

export const flag: Form<boolean> = (at) => (typeof at.value === 'boolean' ? at.value : wrong(at, { expected: 'true or false' }))

export const oneOf = <A extends string>(allowed: ReadonlyArray<A>): Form<A> => (at) => {
  const found = allowed.find((one) => one === at.value)
  return found ?? wrong(at, { expected: `one of ${allowed.join(', ')}`, ...didYouMean(at.value, allowed) })
}

export const wholeNumber = (from: number, to: number): Form<number> => (at) =>
  typeof at.value === 'number' && Number.isInteger(at.value) && at.value >= from && at.value <= to
    ? at.value
    : wrong(at, { expected: `a whole number from ${from} to ${to}` })

/** 0 to 1, or a percentage. */
export const share: Form<number> = (at) => {
  const { value } = at
  const percent = typeof value === 'string' ? /^(\d{1,3}(?:\.\d{1,6})?)\s*%$/.exec(value.trim())?.[1] : undefined
  const found = percent === undefined ? value : Number(percent) / 100
  if (typeof found === 'number' && found >= 0 && found <= 1) return found
  const mend = typeof value === 'number' && value > 1 && value <= 100 ? { mend: `write ${value}%` } : {}
  return wrong(at, { expected: 'a percentage such as 25%, or a share from 0 to 1', ...mend })
}

/** In ms. */
export const duration = (fromMs: number, toMs: number, range: string): Form<number> => (at) => {
  const ms = typeof at.value === 'string' ? parseDuration(at.value) : undefined
  if (ms !== undefined && ms >= fromMs && ms <= toMs) return ms
  if (ms !== undefined) return wrong(at, { expected: `a duration ${range}` })
  return wrong(at, { expected: 'a duration such as 500ms, 30s, 5m, 1h or 2d', ...(typeof at.value === 'number' ? { mend: `give the unit: ${at.value}s` } : {}) })
}

export type Fields = {
  readonly has: (name: string) => boolean
  /** undefined when it is not there, or wrong. */
  readonly get: <A>(name: string, form: Form<A>) => A | undefined
  /** Tells also when it is not there. */
  readonly need: <A>(name: string, form: Form<A>, expected: string) => A | undefined
}

/** A mapping whose keys are all known. */
export const mapping = (at: At, known: ReadonlyArray<string>, what: string): Fields | undefined => {
  const { value } = at
  if (!isMapping(value)) return wrong(at, { expected: what })
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const guess = didYouMean(name, known)
    wrong(inside(at, name), { found: `"${name}"`, expected: `one of ${known.join(', ')}`, problem: `"${name}" is not known here`, mend: guess.mend ?? `known are ${known.join(', ')}`, on: 'key' })
  }
  const has = (name: string): boolean => Object.hasOwn(value, name)
  return {
    has,
    get: (name, form) => (has(name) ? form(inside(at, name)) : undefined),
    need: (name, form, expected) => (has(name) ? form(inside(at, name)) : wrong(inside(at, name), { found: 'nothing', expected, problem: `\`${name}\` is missing`, mend: `add ${expected}` })),
  }
}

const didYouMean = (value: unknown, known: ReadonlyArray<string>): { readonly mend?: string } => {
  const guess = typeof value === 'string' ? nearest(value, known) : undefined
  return guess === undefined ? {} : { mend: `did you mean ${guess}?` }
}
